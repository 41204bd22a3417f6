// The tasks upstream on stdio.
import { serveLines } from '../peers/lines.mjs';
import { makeTasksServer } from './tasks.mjs';

serveLines({ input: process.stdin, output: process.stdout, respond: makeTasksServer(), era: 'modern' });
process.stdin.on('end', () => process.exit(0));
