// The verdict on one run of the conformance suite: the suite scores only what the revision required when it came out,
// and takes a scenario that checked nothing for a pass. Here every scenario in CLAIMED counts as well, each has to have
// checked something, and every failure has to be expected, check by check.
//
// Usage: node verdict.mjs REVISION RESULTS EXPECTED-FAILURES, in the folder that has the suite in its node_modules.
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

/** What the suite runs without scoring it: extensions, what came after the release, what its own server fails. */
const CLAIMED = {
  '2025-11-25': ['json-schema-2020-12', 'server-session-lifecycle', 'server-sse-polling'],
  '2026-07-28': [
    'http-custom-header-server-validation',
    'http-header-validation',
    'json-schema-2020-12',
    'tasks-capability-negotiation',
    'tasks-dispatch-and-envelope',
    'tasks-lifecycle',
    'tasks-mrtr-composition',
    'tasks-mrtr-input',
    'tasks-request-headers',
    'tasks-request-state-removal',
    'tasks-required-task-error',
    'tasks-status-notifications',
    'tasks-wire-fields',
  ],
};
/** The check that every message is right by the schema; a scenario that has only this one checked nothing itself. */
const WIRE = 'wire-schema-valid';
const BAD = ['FAILURE', 'WARNING'];
/** Scenarios in which the suite itself has nothing to check yet, and why. One that begins to check fails the run. */
const EMPTY = {
  'tasks-status-notifications':
    'the suite skips it until it listens on subscriptions/listen; `a_listener_is_told_of_its_tasks` in tests/e2e does',
};

const [revision, results, expectedPath] = process.argv.slice(2);
const load = createRequire(join(process.cwd(), 'package.json'));
const { parse } = load('yaml');
const suite = 'node_modules/@modelcontextprotocol/conformance';
const required = parse(readFileSync(join(suite, 'requirements', `${revision}.yaml`), 'utf8')).server;
const expected = new Set(parse(readFileSync(expectedPath, 'utf8'))?.server ?? []);
const complaints = [];

for (const entry of expected) {
  if (!/^[^:]+:[^:]+$/.test(entry)) {
    complaints.push(`${entry}: an expected failure is written as scenario:check`);
  }
}

/** By scenario: the checks of its last run. */
const ran = new Map();
for (const folder of readdirSync(results).sort()) {
  const scenario = /^server-(.*)-\d{4}-\d\d-\d\dT[\dZ-]+$/.exec(folder)?.[1];
  if (scenario) {
    ran.set(scenario, JSON.parse(readFileSync(join(results, folder, 'checks.json'), 'utf8')));
  }
}

const seen = new Set();
let checked = 0;
let wire = 0;
let messages = 0;
for (const scenario of [...required, ...CLAIMED[revision]]) {
  const checks = ran.get(scenario);
  if (!checks) {
    complaints.push(`${scenario}: the suite did not run it`);
    continue;
  }
  const judged = checks.filter(({ status }) => status === 'SUCCESS' || BAD.includes(status));
  const empty = !judged.some(({ id }) => id !== WIRE);
  if (empty && !(scenario in EMPTY)) {
    complaints.push(`${scenario}: it checked nothing`);
  } else if (!empty && scenario in EMPTY) {
    complaints.push(`${scenario}: it checks something now; remove it from EMPTY`);
  } else if (empty) {
    console.log(`${revision}: ${scenario} checked nothing: ${EMPTY[scenario]}`);
  }
  checked += judged.length;
  for (const { id, details } of judged.filter(({ id }) => id === WIRE)) {
    wire += 1;
    messages += details.messagesValidated;
  }
  const failed = new Set(judged.filter(({ status }) => BAD.includes(status)).map(({ id }) => id));
  for (const id of failed) {
    const entry = `${scenario}:${id}`;
    seen.add(entry);
    if (!expected.has(entry)) {
      const why = judged.find(check => check.id === id && BAD.includes(check.status)).errorMessage ?? '';
      complaints.push(`${entry}: ${why}`);
    }
  }
}
for (const entry of expected) {
  if (!seen.has(entry)) {
    complaints.push(`${entry}: it is expected to fail and does not; remove the entry`);
  }
}
if (wire === 0) {
  complaints.push('no scenario validated what was on the wire');
}

console.log(`${revision}: ${required.length} scenarios required, ${CLAIMED[revision].length} more claimed, ${checked} checks`);
console.log(`${revision}: ${messages} messages validated by the schema in ${wire} scenarios`);
for (const complaint of complaints) {
  console.log(`  ✗ ${complaint}`);
}
process.exit(complaints.length === 0 ? 0 : 1);
