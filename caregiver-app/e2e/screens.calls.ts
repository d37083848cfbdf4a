import type { Page } from '@playwright/test';
import type { Mock } from './lykta';
import { ago, click, marta, type Say, type Screen } from './screen';

// Every screen of calls by video in the caregiver's app: part of the list in screens.ts.

const withVideo = (mock: Mock) => mock.setMe({ features: ['video'] });
const anna = { id: 'person:anna', name: 'Anna Berg', role: 'staff' };
const samira = { id: 'guest:g1', name: 'Samira Haddad', role: 'interpreter' };

/** From a resident's page to what comes before the first call. */
async function ringMarta(page: Page, say: Say): Promise<void> {
  await page
    .locator('.who')
    .getByRole('button', { name: say('call.ring') })
    .click();
  await page.locator('.check').waitFor();
}

/** Märta is rung; what happens then. */
const rung =
  (then: (mock: Mock, page: Page, say: Say) => unknown) =>
  async (page: Page, say: Say, mock: Mock) => {
    await ringMarta(page, say);
    await page.locator('.check .button-main').click();
    await page.locator('.call').waitFor();
    await then(mock, page, say);
  };

/** She has answered; what happens then. */
const answered = (then: (mock: Mock, page: Page, say: Say) => unknown) =>
  rung(async (mock, page, say) => {
    mock.calls.home('c1', 'answer');
    await page.locator('.call [data-person]').waitFor();
    await then(mock, page, say);
  });

/** A resident who has been called before. */
function called(mock: Mock): void {
  withVideo(mock);
  for (const [id, after] of [
    ['c1', 'hang_up'],
    ['c2', 'later'],
  ] as const) {
    mock.calls.begin({ home: 'marta', by: anna });
    if (after === 'hang_up') mock.calls.home(id, 'answer');
    mock.calls.home(id, after);
  }
  const said = { outcome: 'well', note: 'Pigg och glad. Har ätit.', saved_minutes: 25 };
  mock.calls.change('c1', said);
}

export const callScreens: readonly Screen[] = [
  { name: 'call-home', path: marta, shows: '.call-row', world: called },
  {
    name: 'call-check',
    path: marta,
    shows: '.check .call-why-bad, .check video',
    world: withVideo,
    act: ringMarta,
  },
  {
    name: 'call-ringing',
    path: marta,
    shows: '.call[data-state=ringing]',
    world: withVideo,
    act: rung(async (mock, page, say) => {
      mock.calls.home('c1', 'rings');
      await page
        .getByText(say('call.ringing', { name: 'Märta' }))
        .first()
        .waitFor();
    }),
  },
  {
    name: 'call',
    path: marta,
    shows: '.call [data-person]',
    world: withVideo,
    act: answered((mock) => mock.calls.line('c1', { video_paused: true, quality: 'bad' })),
  },
  {
    name: 'call-three',
    path: marta,
    shows: '[data-people="2"]',
    world: withVideo,
    act: answered((mock) => mock.calls.arrive('c1', { ...samira, mic: false, camera: false })),
  },
  {
    name: 'call-invite',
    path: marta,
    shows: 'dialog[open]',
    world: withVideo,
    act: answered((_, page, say) => click(page, say('call.invite'))),
    over: true,
  },
  {
    name: 'call-invited',
    path: marta,
    shows: 'dialog[open] input[readonly]',
    world: withVideo,
    act: answered(async (_, page, say) => {
      await click(page, say('call.invite'));
      await page.getByLabel(say('invite.call_name')).fill('Samira Haddad');
      await click(page, say('invite.call_make'));
    }),
  },
  ...(['missed', 'declined', 'later', 'unreachable'] as const).map((why): Screen => ({
    name: `call-${why}`,
    path: marta,
    shows: `[data-why=${why}]`,
    world: withVideo,
    act: rung((mock) => mock.calls.end('c1', why)),
  })),
  {
    name: 'call-elsewhere',
    path: marta,
    shows: '.call-message',
    world: withVideo,
    act: answered((mock) => mock.calls.of('c1')[0]!.socket.close(4409, 'elsewhere')),
  },
  {
    name: 'call-busy',
    path: marta,
    shows: '.call-message a',
    world: withVideo,
    async act(page, say, mock) {
      await ringMarta(page, say);
      const bjorn = { id: 'person:bjorn', name: 'Björn Falk', role: 'staff' };
      mock.calls.begin({ home: 'marta', by: bjorn });
      await page.locator('.check .button-main').click();
    },
  },
  {
    name: 'call-after',
    path: '/call/c1',
    shows: '.after',
    world(mock) {
      withVideo(mock);
      mock.calls.begin({ home: 'marta', by: anna });
      mock.calls.home('c1', 'answer');
      mock.calls.home('c1', 'hang_up');
    },
  },
  {
    name: 'call-past',
    path: '/call/c1',
    shows: '.call-message',
    world: called,
  },
  {
    name: 'call-bar',
    path: '/homes',
    shows: '.call-bar',
    world(mock) {
      withVideo(mock);
      mock.calls.begin({ home: 'marta', by: anna });
    },
  },
  {
    name: 'call-auto',
    path: '/',
    shows: '[data-state=auto]',
    world(mock) {
      withVideo(mock);
      mock.raise({ home: 'marta', kind: 'sos' });
      const own = { party: 'staff', name: '', field: 'auto_answer', allowed: true };
      const said = { at: ago(mock, 900), until: null, purpose: '', how: 'screen' };
      const grants = [{ ...own, ...said, by: 'Märta Lindqvist' }];
      const decisions = mock.care.decisions as unknown as Map<string, object[]>;
      decisions.set('marta', [...(decisions.get('marta') ?? []), ...grants]);
    },
    act: (page) => page.locator('[data-deed=auto]').first().click(),
  },
  { name: 'call-none', path: '/call/new', shows: '.call-message', world: withVideo },
  {
    name: 'call-lost',
    path: '/call/c1',
    shows: '.call-message [role=alert]',
    world(mock) {
      withVideo(mock);
      mock.fail(/\/calls\/c1/, 500, 'LYK-0001');
    },
  },
];
