// A person with a browser: opens the gateway's page, presses its button, and goes where that leads.
const title = html => /<title>(.*?)<\/title>/.exec(html)?.[1] ?? '';
const unescaped = text =>
  text.replace(/&#39;/g, "'").replace(/&quot;/g, '"').replace(/&lt;/g, '<').replace(/&gt;/g, '>').replace(/&amp;/g, '&');
const found = (what, pattern, html) => {
  const match = pattern.exec(html);
  if (!match) throw new Error(`the page has no ${what}: ${html.slice(0, 2000)}`);
  return unescaped(match[1]);
};

// Follows redirects by hand: the cookie is the gateway's alone.
async function follow(url, gateway, cookie) {
  for (let hops = 0; hops < 10; hops++) {
    const headers = new URL(url).origin === gateway ? { cookie } : {};
    const response = await fetch(url, { redirect: 'manual', headers });
    const next = response.headers.get('location');
    if (!next) return response.text();
    url = new URL(next, url).href;
  }
  throw new Error(`the way from ${url} does not end`);
}

// connectAt(link) -> the title of the page on which it ends: 'Connected' or 'Not connected'.
export async function connectAt(link) {
  const { origin } = new URL(link);
  const page = await fetch(link);
  const html = await page.text();
  if (!page.ok) return title(html);
  const cookie = (page.headers.get('set-cookie') ?? '').split(';')[0];
  const pressed = await fetch(new URL(found('form', /<form method="post" action="([^"]*)"/, html), link), {
    method: 'POST',
    headers: { cookie, origin },
    body: new URLSearchParams({ proof: found('proof', /name="proof" value="([^"]*)"/, html) })
  });
  const sent = await pressed.text();
  if (!pressed.ok) return title(sent);
  return title(await follow(found('way on', /http-equiv="refresh" content="0;url=([^"]*)"/, sent), origin, cookie));
}
