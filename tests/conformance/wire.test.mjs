// The wire matrix: clients of each revision, servers of both eras on both transports, every feature, and
// every message of both sides held against the JSON Schema of its revision.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { after, before, describe, it } from 'node:test';
import { startGateway } from './lib/gateway.mjs';
import { LegacyClient, ModernClient } from './peers/clients.mjs';
import { serveLegacyHttp } from './peers/legacy-http.mjs';
import { serveModernHttp } from './peers/modern-http.mjs';
import { serveStdio } from './peers/stdio.mjs';
import { legacy, modern } from './peers/words.mjs';
import { features } from './wire/features.mjs';
import { Recorder } from './wire/recorder.mjs';
import { WireServer } from './wire/server.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
const program = path.resolve(process.env.SWITCHYARD ?? path.join(here, '../../build/release/switchyard'));

const transports = {
  'legacy http': { era: 'legacy', start: serveLegacyHttp },
  'modern http': { era: 'modern', start: serveModernHttp },
  'legacy stdio': { era: 'legacy', start: options => serveStdio({ ...options, era: 'legacy' }) },
  'modern stdio': { era: 'modern', start: options => serveStdio({ ...options, era: 'modern' }) }
};

async function connect(version, url, record, options = {}, capabilities = () => ({})) {
  const Client = version === modern ? ModernClient : LegacyClient;
  const era = version === modern ? 'modern' : 'legacy';
  return new Client({ url, version, record, ...options, capabilities: capabilities({ era, version }) }).open();
}

for (const [kind, { era, start }] of Object.entries(transports)) {
  describe(`${kind} server`, { timeout: 120_000 }, () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'switchyard-wire-'));
    const behind = new Recorder('server side');
    const server = new WireServer(era);
    let peer, gateway;

    before(async () => {
      peer = await start({ respond: server.respond, record: behind.record });
      server.announce = peer.announce;
      gateway = await startGateway({ program, server: peer.entry ?? { url: peer.url }, folder, name: 'wire', pageSize: 3 });
    });
    after(async () => {
      await gateway?.stop();
      await peer?.close();
      rmSync(folder, { recursive: true });
    });

    it('hears only valid messages when the gateway connects', () => assert.deepEqual(behind.problems(), []));

    for (const version of [modern, ...legacy]) {
      describe(`${version} client`, () => {
        const front = new Recorder('client side');
        let client;
        before(async () => { client = await connect(version, gateway.plainUrl, front.record); });
        after(() => client?.close());

        for (const { title, run, speaks = () => true } of features) {
          if (!speaks({ era: version === modern ? 'modern' : 'legacy', version }, { era })) continue;
          it(title, async () => {
            const marks = [front.mark(), behind.mark()];
            const broken = await run({
              client,
              server,
              name: own => `upstream__${own}`,
              another: (...options) => connect(version, gateway.plainUrl, front.record, ...options),
              sent: () => behind.since(marks[1])
            }).then(() => undefined, error => error);
            // Wrong messages are the likelier cause, so they are reported first.
            const wrong = [...front.problems(marks[0]), ...behind.problems(marks[1])];
            assert.equal(wrong.length, 0, `${broken?.message ?? 'the row itself passed'}\nnot valid:\n  ${wrong.join('\n  ')}`);
            if (broken) throw broken;
          });
        }
      });
    }
  });
}
