// Largest contentful paint of web pages on a phone with a bad network:
// 400 kbit/s, 400 ms, a processor four times slower than this machine's.
//
//   node bench/lcp.mjs pages.json [runs]
//
// pages.json lists what is measured, in one run and in turns, so that what else
// the machine does falls on all alike:
//
//   [{ "name": "Lykta", "url": "http://localhost:8080/", "shows": "Karin",
//      "cookies": [{ "name": "…", "value": "…" }], "storage": { "key": "value" } }]
//
// A page is there when it shows the text (a regular expression), and has painted nothing larger for two seconds.
// Cold is a browser that was never there; warm is the same browser's next visit,
// with whatever cache and service worker the page has put there. Printed: the
// median of the runs and their spread, in milliseconds, and the kilobytes fetched.
import { readFile } from 'node:fs/promises';
import { chromium } from '@playwright/test';

const [file, times = '5'] = process.argv.slice(2);
if (!file) throw new Error('which pages? node bench/lcp.mjs pages.json [runs]');
const pages = JSON.parse(await readFile(file, 'utf8'));
const runs = Math.min(Number(times), 50);

const browser = await chromium.launch({
  executablePath: process.env['LYKTA_CHROMIUM'] ?? '/usr/bin/chromium',
  args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-background-networking'],
});

const settled = 2_000;
const patience = 240_000;

async function visit(context, { url, shows, cookies = [] }) {
  const page = await context.newPage();
  const cdp = await context.newCDPSession(page);
  await cdp.send('Network.enable');
  await cdp.send('Network.emulateNetworkConditions', {
    offline: false,
    latency: 400,
    downloadThroughput: 400_000 / 8,
    uploadThroughput: 400_000 / 8,
  });
  await cdp.send('Emulation.setCPUThrottlingRate', { rate: 4 });
  for (const cookie of cookies) await cdp.send('Network.setCookie', { url, path: '/', ...cookie });
  let bytes = 0;
  cdp.on('Network.loadingFinished', ({ encodedDataLength }) => (bytes += encodedDataLength));
  await page.addInitScript(() => {
    globalThis.painted = { at: 0, seen: 0, what: '' };
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) {
        const what = entry.element?.textContent?.trim().slice(0, 40) ?? entry.url;
        globalThis.painted = { at: entry.startTime, seen: performance.now(), what };
      }
    }).observe({ type: 'largest-contentful-paint', buffered: true });
  });
  await page.goto(url, { waitUntil: 'commit', timeout: patience });
  await page.getByText(new RegExp(shows)).first().waitFor({ timeout: patience });
  await page.waitForFunction(
    (quiet) => painted.at > 0 && performance.now() - painted.seen > quiet,
    settled,
    { timeout: patience, polling: 250 },
  );
  const painted = await page.evaluate(() => globalThis.painted);
  await page.close();
  return { ms: painted.at, bytes, what: painted.what };
}

async function measure(target) {
  const context = await browser.newContext({
    viewport: { width: 390, height: 844 },
    isMobile: true,
    hasTouch: true,
    deviceScaleFactor: 2,
    locale: 'sv-SE',
  });
  const { storage = {} } = target;
  if (Object.keys(storage).length) {
    await context.addInitScript((entries) => {
      for (const [key, value] of entries) localStorage.setItem(key, value);
    }, Object.entries(storage));
  }
  const cold = await visit(context, target);
  const warm = await visit(context, target);
  await context.close();
  return { cold, warm };
}

const seen = new Map(pages.map(({ name }) => [name, { cold: [], warm: [] }]));
for (let i = 0; i < runs; i++) {
  for (const target of pages) {
    const { cold, warm } = await measure(target);
    seen.get(target.name).cold.push(cold);
    seen.get(target.name).warm.push(warm);
    console.error(
      target.name,
      i + 1,
      'cold',
      Math.round(cold.ms),
      'warm',
      Math.round(warm.ms),
      warm.what,
    );
  }
}
await browser.close();

const median = (all) => [...all].sort((a, b) => a - b)[Math.floor(all.length / 2)];
const spread = (all) => `${Math.round(Math.min(...all))}–${Math.round(Math.max(...all))}`;
console.log('| page | LCP cold, ms | spread | kB | LCP warm, ms | spread | kB |');
console.log('|---|---:|---:|---:|---:|---:|---:|');
for (const [name, { cold, warm }] of seen) {
  const cells = [cold, warm].flatMap((all) => {
    const ms = all.map((v) => v.ms);
    return [Math.round(median(ms)), spread(ms), Math.round(median(all.map((v) => v.bytes)) / 1000)];
  });
  console.log(`| ${name} | ${cells.join(' | ')} |`);
}
