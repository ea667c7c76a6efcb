// The browser of a person who is at the authorization server's pages: follows redirects, keeps cookies, and hands back
// what the server tells the client.

/** Goes to `url`; returns the parameters with which the browser is sent to `callback`. */
export async function browse(url, callback, hint) {
  const cookies = new Map();
  let at = new URL(url);
  at.searchParams.set('login_hint', hint);
  for (let hops = 0; hops < 20; hops += 1) {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const response = await fetch(at, { redirect: 'manual', headers: cookie ? { cookie } : {} });
    for (const set of response.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(set);
      cookies.set(name, value);
    }
    const location = response.headers.get('location');
    if (location === null) {
      throw new Error(`${at} answered ${response.status}: ${await response.text()}`);
    }
    at = new URL(location, at);
    if (at.href.startsWith(callback)) {
      return at.searchParams;
    }
  }
  throw new Error(`${url} leads nowhere`);
}
