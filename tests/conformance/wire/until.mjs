// Waits for what happens in its own time.
import { setTimeout as sleep } from 'node:timers/promises';

export async function until(what, probe, limitMs = 5000) {
  const end = Date.now() + limitMs;
  for (;;) {
    const value = await probe();
    if (value) return value;
    if (Date.now() > end) throw new Error(`timed out waiting for ${what}`);
    await sleep(10);
  }
}
