// A reverse proxy that takes a prefix off the beginning of paths: `proxy.mjs TARGET PREFIX`.
//
// What lies elsewhere, such as `/.well-known/…`, is passed on as it is. It says who came to it, and what clients say about
// that themselves does not get through.
import { createServer, request } from 'node:http';

const [target, prefix] = process.argv.slice(2);

const server = createServer((asked, answer) => {
  const path = asked.url.startsWith(`${prefix}/`) ? asked.url.slice(prefix.length) : asked.url;
  const { forwarded: _, ...headers } = asked.headers;
  headers['x-forwarded-for'] = '192.0.2.7';
  headers['x-forwarded-proto'] = 'http';
  headers['x-forwarded-host'] = asked.headers.host;
  const passed = request(new URL(path, target), { method: asked.method, headers }, got => {
    answer.writeHead(got.statusCode, got.headers);
    got.pipe(answer);
  });
  passed.on('error', () => answer.destroy());
  answer.on('close', () => passed.destroy());
  asked.pipe(passed);
});
server.listen(0, '127.0.0.1', () => console.log(`listening on http://127.0.0.1:${server.address().port}`));
