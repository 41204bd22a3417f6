// The tasks upstream over Streamable HTTP. Prints its URL.
import { serveModernHttp } from '../peers/modern-http.mjs';
import { makeTasksServer } from './tasks.mjs';

const { url } = await serveModernHttp({ respond: makeTasksServer() });
console.log(url);
