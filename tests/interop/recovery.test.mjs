// Servers that die under a client that stays connected, and what is left when the gateway goes.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { eras } from './clients.mjs';
import { fixture, node, serversUp, startFixture, startGateway, until } from './harness.mjs';

const slow = { label: 'cut off', steps: 600, interval: 100 };

function alive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

// A call that is running when its server dies must end soon, and as a failure.
async function endsAsFailure(call, kill) {
  let started;
  const running = new Promise(resolve => { started = resolve; });
  const outcome = call(started).then(result => result, error => error);
  await running;
  await kill();
  const late = new Promise(resolve => setTimeout(resolve, 15_000, 'still running').unref());
  const result = await Promise.race([outcome, late]);
  assert.notEqual(result, 'still running', 'the call outlived its server');
  assert.ok(result instanceof Error || result.isError === true, JSON.stringify(result));
}

for (const era of Object.keys(eras)) {
  describe(`${era} client`, { timeout: 120_000 }, () => {
    const files = { lhttp: 'legacy-http.mjs', mhttp: 'modern-http.mjs' };
    const http = {};
    let gateway, client;

    before(async () => {
      for (const name of Object.keys(files)) http[name] = await startFixture(files[name], name);
      gateway = await startGateway({
        servers: {
          lhttp: { url: http.lhttp.url },
          mhttp: { url: http.mhttp.url },
          lstdio: node(fixture('legacy-stdio.mjs'), 'lstdio'),
          mstdio: node(fixture('modern-stdio.mjs'), 'mstdio')
        }
      });
      await serversUp(gateway.url, ['lhttp', 'mhttp', 'lstdio', 'mstdio']);
      client = await eras[era].http(gateway.url);
    });
    after(async () => {
      await client?.close();
      await gateway?.stop();
      await Promise.all(Object.values(http).map(server => server.stop()));
    });

    for (const name of ['lstdio', 'mstdio']) {
      it(`${name} comes back after a kill`, async () => {
        const { pid } = await client.json(`${name}__whoami`);
        await endsAsFailure(
          started => client.call(`${name}__slow`, slow, { onprogress: started }),
          () => process.kill(pid, 'SIGKILL')
        );
        assert.equal((await client.json('mhttp__whoami')).name, 'mhttp', 'the others are unharmed');
        const again = await until('the restart', () => client.json(`${name}__whoami`));
        assert.equal(again.name, name);
        assert.notEqual(again.pid, pid);
      });
    }

    for (const name of Object.keys(files)) {
      it(`${name} comes back after a kill`, async () => {
        const { port } = http[name];
        await endsAsFailure(
          started => client.call(`${name}__slow`, slow, { onprogress: started }),
          () => http[name].stop('SIGKILL')
        );
        await assert.rejects(client.json(`${name}__whoami`), 'a call to a dead server fails');
        assert.equal((await client.json('mstdio__whoami')).name, 'mstdio', 'the others are unharmed');
        http[name] = await startFixture(files[name], name, port);
        const again = await until('the return', () => client.json(`${name}__whoami`));
        assert.equal(again.pid, http[name].pid);
      });
    }
  });
}

describe('beside a server of broken lists', { timeout: 60_000 }, () => {
  for (const era of Object.keys(eras)) {
    it(`a ${era} client gets the lists of all, mended`, async () => {
      const gateway = await startGateway({
        servers: { broken: node(fixture('broken-lists.mjs')), good: node(fixture('legacy-stdio.mjs'), 'good') }
      });
      const client = await serversUp(gateway.url, ['broken', 'good']).then(() => eras[era].http(gateway.url));
      try {
        const tools = (await client.tools()).map(({ name }) => name);
        for (const name of ['no_schema', 'empty_schema', 'null_description', 'text_for_annotations']) {
          assert.ok(tools.includes(`broken__${name}`), `${name} in ${tools}`);
        }
        for (const name of ['text_for_schema', 'flag_for_property']) assert.ok(!tools.includes(`broken__${name}`), name);
        assert.ok(tools.includes('good__whoami'));
        const prompts = (await client.prompts()).map(({ name }) => name);
        assert.deepEqual(prompts.filter(name => name.startsWith('broken__')),
          ['broken__text_for_arguments', 'broken__fine']);
        const uris = (await client.resources()).map(({ uri }) => uri);
        assert.deepEqual(uris.filter(uri => uri.startsWith('broken:')), ['broken://fine']);
      } finally {
        await client.close();
        await gateway.stop();
      }
    });
  }
});

describe('when the gateway ends', { timeout: 60_000 }, () => {
  for (const signal of ['SIGTERM', 'SIGKILL']) {
    it(`by ${signal}, its servers end too`, async () => {
      const names = ['lstdio', 'mstdio'];
      const gateway = await startGateway({
        servers: { lstdio: node(fixture('legacy-stdio.mjs'), 'lstdio'), mstdio: node(fixture('modern-stdio.mjs'), 'mstdio') }
      });
      let pids;
      try {
        await serversUp(gateway.url, names);
        const client = await eras.legacy.http(gateway.url);
        pids = await Promise.all(names.map(async name => (await client.json(`${name}__whoami`)).pid));
        assert.ok(pids.every(alive));
      } finally {
        const end = await gateway.stop(signal);
        if (signal === 'SIGTERM') assert.equal(end.code, 0, gateway.log());
      }
      await until('the end of the servers', () => !pids.some(alive), 15_000);
    });
  }
});
