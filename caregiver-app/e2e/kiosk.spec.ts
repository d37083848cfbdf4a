// The resident's screen in a browser: what it does.
import type { Locator, Page } from '@playwright/test';
import { button, expect, headingOf, helpOf, minute, photo, saturday, test } from './kiosk';
import { expectAccessible } from './lykta';
import type { Gateway } from './mock/kiosk.mjs';

/** Gives the browser a Swedish and an English voice; what they said is in window.said. */
async function giveVoice(page: Page) {
  await page.addInitScript(() => {
    const said: string[] = [];
    const fake = {
      getVoices: () => [
        { lang: 'sv-SE', localService: true, name: 'Alva' },
        { lang: 'en-GB', localService: true, name: 'George' },
      ],
      cancel: () => {},
      addEventListener: () => {},
      speak: (u: { text: string; onstart: () => void; onend: () => void }) => {
        said.push(u.text);
        u.onstart();
        setTimeout(() => u.onend(), 50);
      },
    };
    class Utterance {
      constructor(readonly text: string) {}
    }
    Object.defineProperty(window, 'speechSynthesis', { value: fake });
    Object.assign(window, { said, SpeechSynthesisUtterance: Utterance });
  });
}
const said = (page: Page) =>
  page.evaluate(() => (window as unknown as { said: string[] }).said.slice());

const wellOf = (page: Page) => button(page, /^(Jag mår bra|I am OK)/);
const calm = 'God eftermiddag, Karin';

/** Holds the middle of something for so long, with a hand that trembles. */
async function hold(page: Page, target: Locator, ms: number) {
  const box = (await target.boundingBox())!;
  const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
  await page.mouse.move(x, y);
  await page.mouse.down();
  for (const end = Date.now() + ms; Date.now() < end;) {
    await page.mouse.move(x + 30 * Math.random(), y + 30 * Math.random());
    await page.waitForTimeout(40);
  }
  await page.mouse.up();
}

const sosOf = (gateway: Gateway) => gateway.presses.filter((p) => p.kind === 'sos');

test('the resident sees and hears who comes, once, and the gateway learns of it', async ({
  page,
  gateway,
}) => {
  await giveVoice(page);
  await page.goto('/');
  const heading = headingOf(page);
  await expect(heading).toHaveText(calm);
  gateway.press('received');
  await expect(heading).toHaveText('Larmet är framme');
  gateway.annaComes(12);
  await expect(heading).toHaveText('Anna kommer om 12 minuter');
  await expect(page.getByText('Anna har sett ditt larm.')).toBeVisible();
  await expect
    .poll(() => gateway.heard)
    .toEqual([{ epoch: 'e', seq: 7, told: expect.any(Number), spoken: true }]);
  expect((await said(page)).at(-1)).toBe('Anna har sett ditt larm och kommer om 12 minuter.');

  await page.reload();
  await expect(heading).toHaveText('Anna kommer om 12 minuter');
  gateway.press('someone_has_it', { by: 'Björn', told: gateway.now * 1_000 });
  await expect(heading).toHaveText('Björn har sett ditt larm');
  await expect.poll(() => said(page)).toEqual(['Björn har sett ditt larm.']);
  gateway.press('resolved', { by: 'Björn', told: gateway.now * 1_000 });
  await expect(heading).toHaveText('Larmet är avslutat');
});

test('without a voice there is a soft sound, and the report says so', async ({ page, gateway }) => {
  gateway.annaComes(12);
  await page.goto('/');
  await expect
    .poll(() => gateway.heard)
    .toEqual([{ epoch: 'e', seq: 7, told: expect.any(Number), spoken: false }]);
});

test('a gateway that does not answer is said, and passes', async ({ page, gateway }) => {
  await page.goto('/');
  const heading = headingOf(page);
  await expect(heading).toHaveText(calm);
  const { port } = gateway;
  await gateway.stop();
  await expect(heading).toHaveText('Larmboxen svarar inte', { timeout: 15_000 });
  await expect(page.getByText('LYK-0425')).toBeVisible();
  await expectAccessible(page);
  // Who presses now is told the truth, and is not forgotten.
  await hold(page, helpOf(page), 1_600);
  await expect(heading).toHaveText('Larmet är inte sparat');
  await gateway.listen(port);
  await expect(heading).toHaveText('Larmet skickas', { timeout: 15_000 });
  expect(sosOf(gateway)).toHaveLength(1);
});

test('speaks English when its address asks for it', async ({ page, gateway }) => {
  gateway.status.day.language = '';
  gateway.annaComes(12);
  await page.goto('/?language=en');
  await expect(headingOf(page)).toHaveText('Anna comes in 12 minutes');
  await expect(page.locator('html')).toHaveAttribute('lang', 'en');
});

test.describe('the help button', () => {
  test('does nothing on a short tap but say how it is held', async ({ page, gateway }) => {
    await giveVoice(page);
    await page.goto('/');
    await expect(headingOf(page)).toHaveText(calm);
    await helpOf(page).click();
    await expect(page.getByText('Håll kvar tills knappen är fylld')).toBeVisible();
    await helpOf(page).click();
    await helpOf(page).click();
    expect(await said(page)).toContain('Håll kvar tills knappen är fylld');
    await hold(page, helpOf(page), 500);
    await expect(page.getByText('Håll in knappen')).toBeVisible({ timeout: 10_000 });
    await expect(headingOf(page)).toHaveText(calm);
    expect(gateway.presses).toEqual([]);
  });

  test('calls once when a trembling hand holds it', async ({ page, gateway }) => {
    await page.goto('/');
    await hold(page, helpOf(page), 1_800);
    await expect(headingOf(page)).toHaveText('Larmet skickas');
    expect(sosOf(gateway)).toHaveLength(1);
    expect(sosOf(gateway)[0].key).toMatch(/^[0-9a-f]{32}$/);
    gateway.press('received', { seq: 8 });
    await expect(headingOf(page)).toHaveText('Larmet är framme');
    // To call again is possible, and a call of its own.
    await hold(page, button(page, /^Larma igen/), 1_800);
    await expect(headingOf(page)).toHaveText('Larmet skickas');
    expect(new Set(sosOf(gateway).map((p) => p.key)).size).toBe(2);
  });

  test('is held by touch too, and a slip of the finger does not matter', async ({
    browser,
    gateway,
  }) => {
    const page = await browser.newPage({
      hasTouch: true,
      viewport: { width: 800, height: 480 },
      baseURL: `http://127.0.0.1:${gateway.port}`,
    });
    await page.goto('/');
    await expect(headingOf(page)).toHaveText(calm);
    const box = (await helpOf(page).boundingBox())!;
    const client = await page.context().newCDPSession(page);
    const touch = (type: 'touchStart' | 'touchMove' | 'touchEnd', dx = 0) =>
      client.send('Input.dispatchTouchEvent', {
        type,
        touchPoints: type === 'touchEnd' ? [] : [{ x: box.x + 60 + dx, y: box.y + 50 }],
      });
    await touch('touchStart');
    for (let i = 0; i < 8; i++) {
      await page.waitForTimeout(100);
      await touch('touchMove', (i % 2) * 40);
    }
    await touch('touchEnd');
    await page.waitForTimeout(150);
    await touch('touchStart');
    await page.waitForTimeout(800);
    await touch('touchEnd');
    await expect(headingOf(page)).toHaveText('Larmet skickas');
    expect(sosOf(gateway)).toHaveLength(1);
    await page.close();
  });

  test('works by keyboard: held, or pressed twice', async ({ page, gateway }) => {
    await page.goto('/');
    await helpOf(page).focus();
    await page.keyboard.press('Enter');
    await expect(page.getByText('Tryck en gång till för att larma')).toBeVisible();
    await page.waitForTimeout(700);
    expect(gateway.presses).toEqual([]);
    await page.keyboard.press('Enter');
    await expect(headingOf(page)).toHaveText('Larmet skickas');
    expect(sosOf(gateway)).toHaveLength(1);

    gateway.press('resolved', { told: gateway.now * 1_000 });
    await expect(headingOf(page)).toHaveText('Larmet är avslutat');
    await helpOf(page).focus();
    await page.keyboard.down(' ');
    await expect.poll(() => sosOf(gateway).length).toBe(2);
    await page.keyboard.up(' ');
  });

  test('works for a switch, which clicks without pointing', async ({ page, gateway }) => {
    await page.goto('/');
    const click = () => helpOf(page).evaluate((b: HTMLElement) => b.click());
    await click();
    await page.waitForTimeout(700);
    expect(gateway.presses).toEqual([]);
    await click();
    await expect.poll(() => sosOf(gateway).length).toBe(1);
  });

  test('says that a call is not saved, and tries again with the same key', async ({
    page,
    gateway,
  }) => {
    gateway.full = true;
    await page.goto('/');
    await hold(page, helpOf(page), 1_800);
    await expect(headingOf(page)).toHaveText('Larmet är inte sparat');
    await expect(page.getByText('LYK-0423')).toBeVisible();
    await page.reload(); // not even that loses it
    await expect(headingOf(page)).toHaveText('Larmet är inte sparat');
    gateway.full = false;
    await expect(headingOf(page)).toHaveText('Larmet skickas');
    expect(gateway.keys.size).toBe(1);
    expect(sosOf(gateway)).toHaveLength(1);
  });
});

test('"I am OK" says no more than is known', async ({ page, gateway }) => {
  await page.goto('/');
  const well = wellOf(page);
  await expect(well).toContainText('Ett tryck räcker');
  gateway.full = true;
  gateway.status.online = false;
  await well.click();
  await expect(well).toContainText('Inte sparat än');
  await expect(well).toContainText('LYK-0423');
  gateway.full = false;
  gateway.deaf = true; // stored, but the page does not get to know
  await expect.poll(() => gateway.presses.length).toBe(1);
  await expect(well).toContainText('LYK-0425');
  gateway.deaf = false;
  await expect(well).toContainText('Sparat. Skickas när nätet är tillbaka.');
  gateway.status.online = true;
  await expect(well).toContainText('Sparat. Skickas nu');
  gateway.status.check_in.state = 'received';
  await expect(well).toContainText('Tack! Vi har hört dig klockan 14:1');
  expect(gateway.presses).toHaveLength(1);
  expect(gateway.keys.size).toBe(1);
  // The day after it is open again.
  gateway.now += 20 * 60 * minute;
  await expect(well).toContainText('Ett tryck räcker');
});

test('a medicine comes at its time, again after a quarter, and is over when taken', async ({
  page,
  gateway,
}) => {
  await giveVoice(page);
  gateway.status.day.ask = 0;
  await page.goto('/');
  await expect(headingOf(page)).toHaveText(calm);
  gateway.now = Date.parse('2026-11-21T19:00:30Z');
  await expect(headingOf(page)).toHaveText('Dags för medicin');
  await expect(page.getByText('Alvedon, 2 tabletter')).toBeVisible();
  await expect.poll(() => said(page)).toContain('Dags för medicin: Alvedon, 2 tabletter');
  await button(page, 'Inte nu').click();
  await expect(headingOf(page)).toHaveText('God kväll, Karin');
  gateway.now += 16 * minute;
  await expect(headingOf(page)).toHaveText('Dags för medicin');
  await button(page, 'Jag har tagit den').click();
  await expect(headingOf(page)).toHaveText('Tack!');
  await expect(headingOf(page)).toHaveText('God kväll, Karin', { timeout: 10_000 });
  expect(gateway.presses).toEqual([
    { kind: 'medication', value: 1, text: 'm2', key: expect.any(String) },
  ]);
  await button(page, 'Min dag').click();
  await expect(page.getByText('Tagen klockan 20:16')).toBeVisible();
});

test('a letter is read out once, shown with its picture, and noted as heard', async ({
  page,
  gateway,
}) => {
  await giveVoice(page);
  gateway.pictures['l0'] = await photo(page);
  await page.goto('/');
  await expect(headingOf(page)).toHaveText(calm);
  gateway.letter({ picture: true });
  await expect(headingOf(page)).toHaveText('Från Maria, i dag klockan 14:00');
  await expect
    .poll(() =>
      page.getByAltText('Bild från Maria').evaluate((i: HTMLImageElement) => i.naturalWidth),
    )
    .toBeGreaterThan(100);
  await expect.poll(() => gateway.read).toEqual([{ id: 'l0', spoken: true }]);
  await button(page, 'Jag har läst').click();
  await expect(headingOf(page)).toHaveText(calm);
  await button(page, 'Meddelanden').click();
  await expect(page.getByText('Vi kommer på lördag')).toBeVisible();
  await button(page, 'Läs upp').click();
  await expect
    .poll(async () => (await said(page)).filter((s) => s.includes('kakor')).length)
    .toBe(2);
  expect(gateway.read).toHaveLength(1);
});

test('nothing is read out at night, and an announcement is shown with the others', async ({
  page,
  gateway,
}) => {
  gateway.now = Date.parse('2026-11-21T20:30:00Z'); // half past nine
  gateway.status.taken.m2 = gateway.now * 1_000;
  await giveVoice(page);
  gateway.letter();
  gateway.status.notice = { id: 'n', text: 'Vi kommer i morgon bitti.', at: gateway.now * 1_000 };
  await page.goto('/');
  await expect(page.getByText('Vi kommer i morgon bitti.')).toBeVisible();
  await button(page, 'Jag har läst').click();
  await expect(page.getByText('kakor')).toBeVisible();
  await button(page, 'Jag har läst').click();
  await expect(headingOf(page)).toHaveText('God kväll, Karin');
  expect(await said(page)).toEqual([]);
  expect(gateway.read).toEqual([{ id: 'l0', spoken: false }]);
});

test('"bad" offers help and does not press for it', async ({ page, gateway }) => {
  gateway.now = Date.parse('2026-11-21T16:01:00Z');
  gateway.status.day.prompts = [];
  await page.goto('/');
  await expect(headingOf(page)).toHaveText('Hur mår du i dag?');
  await button(page, 'Dåligt').click();
  await expect(headingOf(page)).toHaveText('Tack för att du berättar');
  await expect(helpOf(page)).toBeVisible();
  expect(gateway.presses).toEqual([{ kind: 'well_being', value: 1, key: expect.any(String) }]);
  await button(page, 'Nej tack, inte nu').click();
  await expect(headingOf(page)).toHaveText(calm);
});

test('the resident sees who looked, and takes back what somebody may know', async ({
  page,
  gateway,
}) => {
  await page.goto('/');
  await button(page, 'Mina uppgifter').click();
  await button(page, 'Vem har tittat?').click();
  await expect(
    page.getByText('Anna, hemtjänsten, tittade på din dag 2 gånger i går, senast klockan 14:10.'),
  ).toBeVisible();
  await button(page, 'Tillbaka').click();
  await button(page, 'Maria').click();
  await button(page, /Om jag har sagt att jag mår bra/).click();
  await expect(page.getByText('Nu får Maria veta det.')).toBeVisible();
  await button(page, 'Ändra inget').click();
  expect(gateway.consents).toEqual([]);
  await button(page, /Om jag har sagt att jag mår bra/).click();
  gateway.full = true;
  await button(page, 'Nej, Maria ska inte få veta').click();
  await expect(page.getByText('Inte sparat än. Vi försöker igen. LYK-0423')).toBeVisible();
  await expect(page.getByText('Nu får Maria veta det.')).toBeVisible();
  gateway.full = false;
  await expect(button(page, /Om jag har sagt att jag mår bra.*Får inte veta/)).toBeVisible();
  expect(gateway.consents).toEqual([
    { party: 'person:maria', field: 'check_in', allowed: false, key: expect.any(String) },
  ]);
  // A contact who cannot sign in is told all the same, and it is said.
  await button(page, 'Tillbaka').click();
  await button(page, 'Vera').click();
  await button(page, /Mina larm.*Får veta när du larmar/).click();
  await expect(page.getByText('Nu får Vera veta när du larmar.')).toBeVisible();
  await button(page, 'Nej, Vera ska inte få veta').click();
  await expect(button(page, /Mina larm.*Får inte veta när du larmar/)).toBeVisible();
  // What the home care's task needs is explained, and is no button.
  await button(page, 'Tillbaka').click();
  await button(page, 'Hemtjänsten').click();
  await expect(page.getByText('Hör till hemtjänstens uppdrag').first()).toBeVisible();
});

test('language, size, voice and darkness are chosen, and stay chosen', async ({
  page,
  gateway,
}) => {
  await giveVoice(page);
  await page.goto('/');
  await button(page, 'Skärmen').click();
  const size = () => page.evaluate(() => parseFloat(getComputedStyle(document.body).fontSize));
  const before = await size();
  await button(page, 'Störst text').click();
  expect(await size()).toBeGreaterThan(before);
  await page.getByRole('group', { name: 'Röst' }).getByRole('button', { name: 'Av' }).click();
  await button(page, 'English').click();
  await expect(headingOf(page)).toHaveText('Screen');
  await page.reload();
  await expect(headingOf(page)).toHaveText('Good afternoon, Karin');
  gateway.letter();
  await expect(page.getByText('kakor')).toBeVisible();
  await button(page, 'I have read it').click();
  expect(await said(page)).toEqual([]);
  await button(page, 'Screen').click();
  await button(page, 'Dark now').click();
  await expect(headingOf(page)).toHaveText(/14:1\d/);
  await expect(wellOf(page)).toHaveCount(0);
  await page.mouse.click(200, 200);
  await expect(headingOf(page)).toHaveText('Good afternoon, Karin');
  expect(gateway.presses).toEqual([]);
});

test('it is dark at night until touched; help works in the dark, and an alarm lights it', async ({
  page,
  gateway,
}) => {
  gateway.now = Date.parse('2026-11-21T22:30:00Z');
  gateway.letter();
  await page.goto('/');
  const kiosk = page.locator('.kiosk');
  await expect(kiosk).toHaveAttribute('data-face', 'dark');
  await page.mouse.click(400, 300);
  await expect(kiosk).toHaveAttribute('data-face', 'ask');
  await page.reload();
  await expect(kiosk).toHaveAttribute('data-face', 'dark');
  gateway.annaComes(12);
  await expect(headingOf(page)).toHaveText('Anna kommer om 12 minuter');
  gateway.press('none');
  await expect(kiosk).toHaveAttribute('data-face', 'dark');
  await hold(page, helpOf(page), 1_800);
  await expect(headingOf(page)).toHaveText('Larmet skickas');
});

test('untouched for a minute, the first screen comes back', async ({ page, gateway }) => {
  await page.clock.install({ time: saturday });
  await page.goto('/');
  await expect(headingOf(page)).toHaveText(calm);
  await button(page, 'Mina uppgifter').click();
  await expect(headingOf(page)).toHaveText('Mina uppgifter');
  await page.clock.runFor(30_000);
  await expect(headingOf(page)).toHaveText('Mina uppgifter');
  await page.clock.runFor(31_000);
  await expect(wellOf(page)).toBeVisible();
  expect(gateway.presses).toEqual([]);
});

test('everything is reached by keyboard alone', async ({ page, gateway }) => {
  await page.goto('/');
  await expect(headingOf(page)).toHaveText(calm);
  const focused = () =>
    page.evaluate(() => document.querySelector('button:focus')?.textContent ?? '');
  const reach = async (text: string) => {
    for (let i = 0; i < 30 && !(await focused()).includes(text); i++) {
      await page.keyboard.press('Tab');
    }
    expect(await focused()).toContain(text);
  };
  await reach('Jag mår bra');
  await page.keyboard.press('Enter');
  await expect.poll(() => gateway.presses.length).toBe(1);
  await reach('Mina uppgifter');
  await page.keyboard.press('Enter');
  await reach('Maria');
  await page.keyboard.press(' ');
  await reach('Mina larm');
  await page.keyboard.press('Enter');
  await reach('Nej, Maria ska inte få veta');
  await page.keyboard.press('Enter');
  await expect.poll(() => gateway.consents.length).toBe(1);
  await reach('Tillbaka');
  await page.keyboard.press('Enter');
  await expect(headingOf(page)).toHaveText('Mina uppgifter');
});

test('a fault in the screen is told to its gateway, once and without its words', async ({
  page,
  gateway,
  complaints,
}) => {
  await page.goto('/');
  await expect(headingOf(page)).toHaveText('God eftermiddag, Karin');
  await page.evaluate(() => {
    const fails = () => setTimeout(() => { throw new RangeError('Karin'); }); // prettier-ignore
    fails();
    fails();
    void Promise.reject(new TypeError('Karin'));
  });
  await expect.poll(() => gateway.troubles.length).toBe(2);
  expect(gateway.troubles.map((t) => t.what)).toEqual(['script', 'script']);
  expect(gateway.troubles.map((t) => t.name).sort()).toEqual(['RangeError', 'TypeError']);
  expect(JSON.stringify(gateway.troubles)).not.toContain('Karin');
  await expect.poll(() => complaints.length).toBe(3); // the browser's own log says all
  complaints.splice(0);
  await expect(headingOf(page)).toHaveText('God eftermiddag, Karin');
});
