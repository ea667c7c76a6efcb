/**
 * The event loop of a synchronous call: jobs first, then the timer that is due next. QuickJS runs neither in a call of the
 * contract, so promises and timers of components are ours, and are driven from here.
 */
const jobs = [];
const timers = [];
let nextId = 1;
let sleep;

export function addJob(job) {
  jobs.push(job);
}

/** Set by timers.js, so that only plugins that use timers import a clock. */
export function setSleep(how) {
  sleep = how;
}

export function addTimer(at, every, work) {
  const timer = { id: nextId++, at, every, work };
  put(timer);
  return timer.id;
}

export function removeTimer(id) {
  const at = timers.findIndex((timer) => timer.id === id);
  if (at >= 0) timers.splice(at, 1);
}

/** Runs jobs and timers until `isDone`, or until nothing is left that could change anything. */
export function run(isDone) {
  for (;;) {
    for (let i = 0; i < jobs.length; i++) jobs[i]();
    jobs.length = 0;
    if (isDone()) return;
    const timer = timers.shift();
    if (timer === undefined) return;
    const wait = timer.at - Date.now();
    if (wait > 0) sleep(wait);
    if (timer.every !== undefined) put({ ...timer, at: Date.now() + timer.every });
    timer.work();
  }
}

function put(timer) {
  const later = timers.findIndex(({ at }) => at > timer.at);
  if (later < 0) timers.push(timer);
  else timers.splice(later, 0, timer);
}
