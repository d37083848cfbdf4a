// The states of calls by video for who is neither at home nor on duty: a relative
// in their app, and whoever came by a link. The far side is a page of its own.
import type { Page } from '@playwright/test';
import type { State } from './family.states';
import type { Mock } from './lykta';
import { Studio } from './studio';

const anna = { id: 'person:anna', name: 'Anna Berg', role: 'staff' };
const samira = { id: 'guest:g9', name: 'Samira Haddad', role: 'interpreter' };
const main = (page: Page) => page.locator('main .button-main');
const latest = (mock: Mock) => ([...mock.calls.all.values()].at(-1) as { id: string }).id;
/** A call that Anna has begun; returns its id. */
const begun = (mock: Mock) => (mock.calls.begin({ home: 'marta', by: anna }) as { id: string }).id;

/** The browser does not give these. */
const refuse = (page: Page, of: 'video' | 'audio', why = 'NotAllowedError') =>
  page.addInitScript(
    ({ of, why }) => {
      const own = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
      navigator.mediaDevices.getUserMedia = (wanted) =>
        wanted?.[of] ? Promise.reject(new DOMException('no', why)) : own(wanted);
    },
    { of, why },
  );
const far = (page: Page, mock: Mock) => Studio.of(page.context().browser()!, mock);

/** Who has looked at their camera already, and may ring Märta. */
async function mayRing(mock: Mock, page: Page) {
  mock.setMe({ features: ['video'] });
  mock.family.homes.get('marta')!.allowed.push('video');
  await page.addInitScript(() => localStorage.setItem('lykta.call.checked', 'yes'));
}

/** Rings, and goes on from there when the service has the call. */
const ringing =
  (then: (mock: Mock, call: string, page: Page) => unknown = () => {}) =>
  async (page: Page, mock: Mock) => {
    await far(page, mock);
    await main(page).click();
    await page.locator('.meeting').waitFor();
    await then(mock, latest(mock), page);
  };
/** The same, and Märta has answered and is seen. */
const answered = (then: (mock: Mock, call: string, page: Page) => unknown = () => {}) =>
  ringing(async (mock, call, page) => {
    mock.calls.home(call, 'answer');
    await page.locator('.tile video').waitFor();
    await then(mock, call, page);
  });

const path = 'homes/marta/call';
const ended = '.call-message [role=status], .call-message .button-main';

export const familyCalls: State[] = [
  { name: 'call-before', path, given: mayRing, shows: '.call-message .button-main' },
  {
    name: 'call-check',
    path,
    async given(mock, page) {
      await mayRing(mock, page);
      await page.addInitScript(() => localStorage.removeItem('lykta.call.checked'));
    },
    act: (page) => main(page).click(),
    shows: '.check video',
  },
  {
    name: 'call-check-denied',
    path,
    async given(mock, page) {
      await mayRing(mock, page);
      await page.addInitScript(() => localStorage.removeItem('lykta.call.checked'));
      await refuse(page, 'video');
      await refuse(page, 'audio', 'NotFoundError');
    },
    act: (page) => main(page).click(),
    shows: '.call-why-bad',
  },
  {
    name: 'call-rings',
    path,
    given: mayRing,
    act: ringing((mock, call) => mock.calls.home(call, 'rings')),
    shows: '.meeting[data-state=ringing] .own video',
  },
  { name: 'call-in', path, given: mayRing, act: answered(), shows: '.tile video' },
  {
    name: 'call-paused',
    path,
    given: mayRing,
    act: answered((mock, call) =>
      mock.calls.line(call, { video_paused: true, quality: 'bad', loss: 0.2, kbps: 80 }),
    ),
    shows: '.call-quality-bad',
  },
  {
    name: 'call-three',
    path,
    given: mayRing,
    act: answered((mock, call) =>
      mock.calls.arrive(call, { ...samira, mic: false, camera: false }),
    ),
    shows: '[data-people="2"]',
  },
  {
    name: 'call-denied',
    path,
    async given(mock, page) {
      await mayRing(mock, page);
      await refuse(page, 'video');
    },
    act: answered(),
    shows: '.call .call-why-bad',
  },
  {
    name: 'call-missed',
    path,
    given: mayRing,
    act: ringing((mock, call) => mock.calls.missed(call)),
    shows: ended,
  },
  {
    name: 'call-later',
    path,
    given: mayRing,
    act: ringing((mock, call) => mock.calls.home(call, 'later')),
    shows: ended,
  },
  {
    name: 'call-unreachable',
    path,
    given: mayRing,
    act: ringing((mock, call) => mock.calls.end(call, 'unreachable')),
    shows: ended,
  },
  {
    name: 'call-over',
    path,
    given: mayRing,
    act: answered((mock, call) => mock.calls.home(call, 'hang_up')),
    shows: ended,
  },
  {
    name: 'call-now',
    path,
    async given(mock, page) {
      await mayRing(mock, page);
      mock.calls.home(begun(mock), 'answer');
    },
    shows: '.call-message .button-main',
  },
  {
    name: 'call-off',
    path,
    given: (mock) => mock.setMe({ features: ['video'] }),
    shows: '.call-message .button-main',
  },
];

const link = 'guest#lyk_g_1';
const invited = (mock: Mock) =>
  mock.calls.guests.set('lyk_g_1', {
    call: begun(mock),
    id: 'g1',
    name: 'Omar',
    role: 'interpreter',
  });
export const guestCalls: State[] = [
  { name: 'check', path: link, given: invited, shows: '.check-picture video' },
  {
    name: 'check-nothing',
    path: link,
    async given(mock, page) {
      invited(mock);
      await refuse(page, 'video', 'NotFoundError');
      await refuse(page, 'audio', 'NotReadableError');
    },
    shows: '.call-why-bad',
  },
  {
    name: 'waits',
    path: link,
    given: invited,
    act: (page) => main(page).click(),
    shows: '.meeting[data-state=ringing] .own video',
  },
  { name: 'in', path: link, given: invited, act: answered(), shows: '.tile video' },
  {
    name: 'paused',
    path: link,
    given: invited,
    act: answered((mock, call) =>
      mock.calls.line(call, { video_paused: true, quality: 'bad', loss: 0.2, kbps: 80 }),
    ),
    shows: '.call-quality-bad',
  },
  {
    name: 'left',
    path: link,
    given: invited,
    act: answered((_mock, _call, page) => page.locator('[data-control=end]').click()),
    shows: '.call-message .button-main',
  },
  {
    name: 'over',
    path: link,
    given: invited,
    act: answered((mock, call) => mock.calls.home(call, 'hang_up')),
    shows: '.call-message [role=status]',
  },
  { name: 'gone', path: 'guest#lyk_g_old', shows: '.call-message [role=status]' },
  { name: 'no-link', path: 'guest', shows: '.call-message p' },
];
