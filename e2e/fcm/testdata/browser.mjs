// A Chromium with one page, told by lines on standard input:
//   subscribe KEY   subscribes with the VAPID key; answers with the subscription
//   received N      answers with what the service worker has got and shows, when it has got N
//   unsubscribe     takes the subscription back
// Every answer is one line of JSON; who asks bounds the wait. Arguments: playwright-core's folder, the
// page's address, the profile's folder, Chromium's own flags.
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';

const [playwright, address, profile, ...args] = process.argv.slice(2);
const { chromium } = createRequire(import.meta.url)(playwright);
const context = await chromium.launchPersistentContext(profile, {
  executablePath: process.env.LYKTA_CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', ...args],
  permissions: ['notifications'],
});
const page = context.pages()[0] ?? (await context.newPage());
await page.goto(address);

const orders = {
  subscribe: (key) => page.evaluate((key) => subscribe(key), key),
  received: async (n) => {
    await page.waitForFunction((n) => received.length >= n, Number(n), { timeout: 0 });
    return page.evaluate(async () => ({ received, shown: await shown() }));
  },
  unsubscribe: () => page.evaluate(() => unsubscribe()),
};
for await (const line of createInterface({ input: process.stdin })) {
  const [order, argument] = line.split(' ');
  console.log(JSON.stringify(await orders[order](argument)));
}
await context.close();
