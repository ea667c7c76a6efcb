// What a server asks back and offers besides tools: forms, the client's model, resources, prompts, tasks.
import { deepStrictEqual, ok, strictEqual } from 'node:assert';

import { event, within } from './wait.mjs';

/** Fills in a form with the plan's answers: every field it has must have one. */
export function fill(plan, { requestedSchema }) {
  const names = Object.keys(requestedSchema.properties);
  return { action: 'accept', content: Object.fromEntries(names.map(name => [name, plan.rounds.answers[name]])) };
}

/** What the client's model says. */
export function answer(plan) {
  return { role: 'assistant', model: 'none', content: { type: 'text', text: plan.rounds.model } };
}

export async function rounds(plan, client) {
  for (const { tool, arguments: args, text } of plan.calls) {
    strictEqual(textOf(await within(`result of ${tool}`, client.call(tool, args, {}))), text);
  }
  console.log(`ok ${plan.calls.length} calls that ask back`);
  await said(plan, client);
  await resources(plan.resources, client);
  await prompts(plan.prompts, client);
  await watch(plan.watch, client);
  await task(plan.task, client);
}

function textOf(result) {
  ok(!result.isError, JSON.stringify(result));
  return result.content.map(block => block.text).join('\n');
}

async function said({ progress, log }, client) {
  const steps = [];
  await within('result', client.call(progress.tool, {}, { onProgress: step => steps.push(step.progress) }));
  ok(steps.length > 0, 'some progress is reported');
  deepStrictEqual(steps, progress.steps.filter(step => steps.includes(step)), 'the progress reported');
  const told = event();
  await within('log level', client.listenToLog(told.happen));
  await within('result', client.call(log.tool, {}, { logLevel: 'info' }));
  const message = await within('log message', told.happened);
  strictEqual(message.level, 'info');
  ok(message.data, 'a log message has data');
  console.log('ok progress and log');
}

async function resources({ listed, template, uri, text }, client) {
  const uris = (await within('resources', client.resources())).map(resource => resource.uri);
  ok(uris.includes(listed), `${listed} is not in ${uris}`);
  const templates = (await within('templates', client.templates())).map(template => template.uriTemplate);
  ok(templates.includes(template), `${template} is not in ${templates}`);
  const { contents } = await within('content', client.read(uri));
  deepStrictEqual(contents.map(content => [content.uri, content.text]), [[uri, text]]);
  console.log('ok resources');
}

async function prompts({ name, cases, completions }, client) {
  const names = (await within('prompts', client.prompts())).map(prompt => prompt.name);
  ok(names.includes(name), `${name} is not in ${names}`);
  for (const { arguments: args, text } of cases) {
    const { messages } = await within('prompt', client.prompt(name, args));
    deepStrictEqual(messages.map(message => message.content.text), [text]);
  }
  for (const { ref, argument, context, values } of completions) {
    const { completion } = await within('completion', client.complete({ ref, argument, ...(context && { context }) }));
    deepStrictEqual(completion.values, values, `${JSON.stringify([argument, context])}`);
  }
  console.log('ok prompts and completions');
}

// While one note is watched, only its changes are told; after that, none of them are.
async function watch({ tool, first, second }, client) {
  const touch = async ({ id, text }) => {
    strictEqual(textOf(await within(`result of ${tool}`, client.call(tool, { id }, {}))), text);
  };
  const told = event();
  const stop = await within('subscription', client.watch(first.uri, told.happen));
  await touch(first);
  strictEqual(await within('update', told.happened), first.uri);
  await within('end of the subscription', stop());

  const seen = [];
  const again = event();
  const stopAgain = await within('subscription', client.watch(second.uri, uri => {
    seen.push(uri);
    again.happen();
  }));
  await touch(first);
  await touch(second);
  await within('update', again.happened);
  deepStrictEqual(seen, [second.uri], 'only what is still subscribed to is told');
  await within('end of the subscription', stopAgain());
  console.log('ok subscription');
}

// In the handshake era it is a call that asks back over the session's stream, from 2026-07-28 on a task with input.
async function task({ tool, arguments: args, text, statuses }, client) {
  if (client.task === undefined) {
    strictEqual(textOf(await within(`result of ${tool}`, client.call(tool, args, {}))), text);
  } else {
    const { result, seen } = await within(`end of the task ${tool}`, client.task(tool, args));
    strictEqual(textOf(result), text);
    for (const status of statuses) {
      ok(seen.includes(status), `the task was ${seen}, never ${status}`);
    }
  }
  console.log('ok task');
}
