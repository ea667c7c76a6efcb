// What every client does, whatever its SDK, over an adapter: this file tells all about tools, rounds.mjs the rest.
import { deepStrictEqual, ok, strictEqual } from 'node:assert';
import { copyFile, readFile, rename } from 'node:fs/promises';

import { rounds } from './rounds.mjs';
import { event, within } from './wait.mjs';

export async function main(connect) {
  const plan = JSON.parse(await readFile(process.argv[2], 'utf8'));
  try {
    const client = await within('connection', connect(plan));
    strictEqual(client.version(), plan.version, 'the negotiated revision');
    await (plan.rounds ? rounds(plan.rounds, client) : run(plan, client));
    await within('close', client.close());
    console.log('done');
    process.exit(0);
  } catch (why) {
    console.error(why);
    process.exit(1);
  }
}

async function run(plan, client) {
  const listed = await listAll(plan, client);
  const own = listed.filter(name => !name.startsWith(plan.ignore)).sort();
  deepStrictEqual(own, plan.tools, 'the tools');
  deepStrictEqual(await listAll(plan, client), listed, 'the same list in the same order again');
  console.log(`ok ${listed.length} tools`);

  for (const [index, { tool, arguments: args, expect }] of plan.cases.entries()) {
    try {
      check(expect, await within('result', client.call(tool, args, {})));
    } catch (why) {
      throw new Error(`case ${index}, ${tool} ${JSON.stringify(args)}: ${why.message}`, { cause: why });
    }
  }
  console.log(`ok ${plan.cases.length} calls`);

  await progress(plan.progress, client);
  await cancel(plan.cancel, client);
  await swap(plan, client);
}

async function listAll(plan, client) {
  const names = [];
  let pages = 0;
  let cursor;
  do {
    const page = await within('page of tools', client.page(cursor));
    names.push(...page.tools.map(tool => tool.name));
    cursor = page.nextCursor;
    pages += 1;
    ok(pages <= 100, 'the pages never end');
  } while (cursor !== undefined);
  strictEqual(pages, Math.ceil(names.length / plan.pageSize), 'the number of pages');
  return names;
}

function check(expect, result) {
  const blocks = result.content ?? [];
  const text = blocks.filter(block => block.type === 'text').map(block => block.text).join('\n');
  const said = `\nthe result was ${JSON.stringify(result)}`;
  strictEqual(result.isError ?? false, expect.error ?? false, `isError${said}`);
  if (expect.text !== undefined) {
    strictEqual(text, expect.text);
  }
  for (const part of expect.contains ?? []) {
    ok(text.includes(part), `the text lacks ${JSON.stringify(part)}${said}`);
  }
  if (expect.structured !== undefined) {
    deepStrictEqual(result.structuredContent, expect.structured);
  }
  if (expect.blocks !== undefined) {
    deepStrictEqual(blocks.map(block => block.type), expect.blocks, `the blocks${said}`);
  }
}

async function progress({ tool, arguments: args, steps }, client) {
  const seen = [];
  await within('result', client.call(tool, args, { onProgress: step => seen.push(step.progress) }));
  // An SDK may drop a report that arrives together with the result, and the host may thin them out; none comes twice,
  // out of order or from nowhere.
  ok(seen.length > 0, 'some progress is reported');
  deepStrictEqual(seen, steps.filter(step => seen.includes(step)), 'the progress reported');
  console.log('ok progress');
}

// The tool reports progress once and then never ends: when the report is here, it runs.
async function cancel({ tool, arguments: args, after }, client) {
  const running = event();
  const controller = new AbortController();
  const call = client.call(tool, args, { onProgress: running.happen, signal: controller.signal });
  const outcome = call.then(
    result => ({ result }),
    why => ({ why })
  );
  await within('sign that the tool runs', Promise.race([running.happened, outcome]));
  controller.abort('the test has seen enough');
  const { result, why } = await within('end of the cancelled call', outcome);
  ok(why, `a cancelled call must not have a result: ${JSON.stringify(result)}`);
  check(after.expect, await within('result after a cancelled call', client.call(after.tool, after.arguments, {})));
  console.log('ok cancel');
}

async function swap({ swap: { from, to, before, after } }, client) {
  const changed = event();
  await within('subscription', client.subscribe(changed.happen));
  const names = async () => {
    const all = [];
    let cursor;
    do {
      const page = await within('page of tools', client.page(cursor));
      all.push(...page.tools.map(tool => tool.name));
      cursor = page.nextCursor;
    } while (cursor !== undefined);
    return all;
  };
  ok((await names()).includes(before), `${before} is there before the swap`);
  await copyFile(from, `${to}.part`);
  await rename(`${to}.part`, to);
  await within('list_changed', changed.happened);
  const now = await names();
  ok(now.includes(after) && !now.includes(before), `after the swap the tools are ${now}`);
  console.log('ok list_changed');
}
