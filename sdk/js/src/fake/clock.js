export function sleep() {}
