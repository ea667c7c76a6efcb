export const time = {
  async getCurrentTime() {
    return new Date().toISOString();
  },
};
