// A scripted server that the gateway starts as a child, while the script stays in this process: the child is
// peers/relay.mjs.
import net from 'node:net';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { serveLines } from './lines.mjs';

const relay = path.join(path.dirname(fileURLToPath(import.meta.url)), 'relay.mjs');

// serveStdio({ respond, era, record }) -> { entry: for the configuration, announce(method, params), close() }
export async function serveStdio({ respond, era, record }) {
  const connections = new Set();
  const server = net.createServer(socket => {
    const peer = serveLines({ input: socket, output: socket, respond, era, record });
    const connection = { socket, peer };
    connections.add(connection);
    socket.on('close', () => connections.delete(connection));
    socket.on('error', () => {});
  });
  await new Promise(resolve => server.listen(0, '127.0.0.1', resolve));
  return {
    entry: { command: process.execPath, args: [relay, String(server.address().port)] },
    announce: (method, params) => { for (const { peer } of connections) peer.announce(method, params); },
    close: () => {
      for (const { socket } of connections) socket.destroy();
      return new Promise(resolve => server.close(resolve));
    }
  };
}
