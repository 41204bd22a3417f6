// The upstream on stdio, both eras.
import { serveStdio } from '@modelcontextprotocol/server/stdio';
import { build, changesOnConnection } from './server.mjs';

serveStdio(() => build(changesOnConnection), { onerror: error => console.error(error.message) });
