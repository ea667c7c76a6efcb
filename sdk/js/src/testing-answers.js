/** What a person or a client answers, as the contract has it. */
export const accept = (content = {}) => ({ tag: "form", val: { tag: "accept", val: JSON.stringify(content) } });
export const decline = () => ({ tag: "form", val: { tag: "decline" } });
export const cancel = () => ({ tag: "form", val: { tag: "cancel" } });
export const sample = (result) => ({ tag: "sample", val: JSON.stringify(result) });
export const roots = (list) => ({ tag: "roots", val: list });
export const failed = (why) => ({ tag: "failed", val: why });
