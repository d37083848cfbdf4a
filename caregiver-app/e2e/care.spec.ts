import { card, expect, expectAccessible, test, type Mock } from './lykta';

// What this part of the mock keeps; see mock/care.mjs.
interface Care {
  log: Record<string, unknown>[];
  notes: Record<string, unknown>[];
  visits: Map<
    string,
    { state: string; note: string; from: string; to: string; rev: number; by: string }
  >;
  decisions: Map<string, unknown[]>;
  cards: Map<string, { important: string }>;
  refuse: { path: RegExp; status: number; id: string; detail: string } | null;
}
const careOf = (mock: Mock) => mock.care as unknown as Care;

test('before one goes in: who it is, what is important, how one gets in, how today is', async ({
  page,
}) => {
  await page.goto('/homes/marta');
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Märta Lindqvist');
  await expect(page.locator('.who')).toContainText('88 år');
  await expect(page.locator('.who-important')).toContainText('Allergisk mot penicillin');
  await expect(page.locator('.who-entry')).toContainText('Portkod 1947');
  await expect(page.getByRole('link', { name: 'Ring Märta' })).toHaveAttribute(
    'href',
    'tel:087460610',
  );
  await expect(page.locator('.facts')).toContainText('Bra · 10:12');
  await expect(page.locator('.day-care')).toContainText('Mellanmål och promenad');
  await expect(page.locator('.day-care')).toContainText('Märta var yr i går kväll');

  await page.getByRole('link', { name: 'Uppgifter' }).click();
  await expect(page).toHaveURL(/\/homes\/marta\/card$/);
  await expect(page.getByRole('link', { name: /Ring Lena Lindqvist/ })).toHaveAttribute(
    'href',
    'tel:+46701740611',
  );
  await page.goBack();
  await expect(page.locator('.facts')).toBeVisible();
});

test('a note is begun by ready sentences, changed, kept without a network, and sent when it is back', async ({
  page,
  mock,
}) => {
  await page.goto('/homes/marta/notes');
  await page.getByRole('button', { name: 'Besök: allt väl.' }).click();
  await page.getByRole('button', { name: 'Åt och drack.' }).click();
  const text = page.getByLabel('Anteckning', { exact: true });
  await expect(text).toHaveValue('Besök: allt väl.\nÅt och drack.');
  await text.press('Control+End');
  await text.pressSequentially(' Mest soppa.');
  mock.setNetwork(false);
  await page.getByRole('button', { name: 'Spara anteckningen' }).click();
  const waiting = page.locator('.note-waiting');
  await expect(waiting).toContainText('Mest soppa.');
  await expect(waiting).toContainText('Inte skickat än');
  await expect(text).toHaveValue('');
  await expectAccessible(page);

  await page.reload();
  await page.locator('.door-card[role=alert]').waitFor();
  mock.setNetwork(true);
  await page.goto('/homes/marta/notes');
  await expect(page.locator('.note', { hasText: 'Mest soppa.' })).toHaveCount(1);
  await expect(waiting).toHaveCount(0);
  expect(careOf(mock).log.filter((d) => String(d['path']).endsWith('/notes'))).toHaveLength(1);
  await expect
    .poll(() => careOf(mock).log.at(-1))
    .toMatchObject({
      kind: 'visit',
      text: 'Besök: allt väl.\nÅt och drack. Mest soppa.',
    });
});

test('what the server refuses is said, and its words are there to be written again', async ({
  page,
  mock,
}) => {
  careOf(mock).refuse = {
    path: /\/notes$/,
    status: 403,
    id: 'LYK-0505',
    detail: 'Du har inte längre det här området.',
  };
  await page.goto('/homes/marta/notes');
  await page.getByLabel('Anteckning', { exact: true }).fill('Hon sov gott.');
  await page.getByRole('button', { name: 'Spara anteckningen' }).click();
  const refused = page.locator('.refused-deed');
  await expect(refused).toContainText('Kunde inte sparas: Anteckning om Märta');
  await expect(refused).toContainText('LYK-0505');
  await expect(refused).toContainText('Hon sov gott.');
  await expect(page.locator('.note-waiting')).toHaveCount(0);
  await expectAccessible(page);

  // It is still there when the page is opened anew.
  await page.reload();
  careOf(mock).refuse = null;
  await page.getByRole('button', { name: 'Skriv om' }).click();
  await expect(page.getByLabel('Anteckning', { exact: true })).toHaveValue('Hon sov gott.');
  await page.getByRole('button', { name: 'Spara anteckningen' }).click();
  await expect(page.locator('.note-day').first()).toContainText('Hon sov gott.');
  await expect(refused).toHaveCount(0);
});

test('a note is corrected, never changed', async ({ page, mock }) => {
  await page.goto('/homes/marta/notes');
  await page.getByRole('button', { name: 'Rätta – anteckningen kl 10:12' }).click();
  const text = page.getByLabel('Anteckning', { exact: true });
  await expect(text).toBeFocused();
  await text.fill('Hon åt fil, inte gröt.');
  await page.getByRole('button', { name: 'Spara anteckningen' }).click();
  const note = page.locator('.note', { hasText: 'Åt gröt' });
  await expect(note).toContainText('Rättad');
  await expect(note.locator('.note-correction')).toContainText('Hon åt fil, inte gröt.');
  await expect.poll(() => careOf(mock).log.at(-1)).toMatchObject({ corrects: 'n1' });
});

test('my shift: the next visit, done with a short note, also without a network', async ({
  page,
  mock,
}) => {
  await page.goto('/shift');
  await expect(page.getByText('Ditt pass 07:00–15:00')).toBeVisible();
  await expect(page.getByText('3 besök kvar')).toBeVisible();
  await expect(page.locator('.shift')).toContainText('Märta var yr i går kväll');
  await page.getByRole('button', { name: 'Klart – Sven Åkesson' }).click();
  await expectAccessible(page);
  await page.getByRole('button', { name: 'Hjälp med dusch.' }).click();
  mock.setNetwork(false);
  await page.getByRole('button', { name: 'Spara som klart' }).click();
  await expect(page.getByText('2 besök kvar')).toBeVisible();
  await page.getByText(/3 klara/).click();
  const row = page.locator('.visit', { hasText: 'Sven Åkesson' });
  await expect(row).toContainText('Inte skickat än');
  expect(careOf(mock).visits.get('v3')?.state).toBe('planned');

  mock.setNetwork(true);
  await page.evaluate(() => dispatchEvent(new Event('online')));
  await expect(row).not.toContainText('Inte skickat än');
  await expect(row).toContainText('Klart');
  expect(careOf(mock).visits.get('v3')).toMatchObject({ state: 'done', note: 'Hjälp med dusch.' });
});

test('a visit that did not happen needs a word why; one that is refused stands as planned again', async ({
  page,
  mock,
}) => {
  careOf(mock).refuse = {
    path: /\/visits\/v4\/went$/,
    status: 409,
    id: 'LYK-0531',
    detail: 'Besöket är inställt.',
  };
  await page.goto('/homes/marta');
  const row = page.locator('.visit', { hasText: 'Mellanmål' });
  await row.getByRole('button', { name: 'Klart' }).click();
  await row.getByRole('button', { name: 'Blev inte av' }).click();
  await expect(row.getByRole('alert')).toContainText('Skriv kort varför');
  await page.getByLabel('Hur gick det?').fill('Hon var inte hemma.');
  await row.getByRole('button', { name: 'Blev inte av' }).click();
  await expect(page.locator('.refused-deed')).toContainText('Besöket är inställt. (LYK-0531)');
  await expect(row.getByRole('button', { name: 'Klart' })).toBeVisible();
});

test('the word of a visit that was called off meanwhile is kept, and saved as a note', async ({
  page,
  mock,
}) => {
  await page.goto('/shift');
  await page.getByRole('button', { name: 'Klart – Sven Åkesson' }).click();
  await page.getByLabel('Hur gick det?').fill('Duschade, mådde bra.');
  mock.setNetwork(false);
  await page.getByRole('button', { name: 'Spara som klart' }).click();
  Object.assign(careOf(mock).visits.get('v3')!, {
    ...{ state: 'cancelled', note: 'Sven ringde återbud.', by: 'Eva Ek', rev: 2 },
  });
  mock.setNetwork(true);
  await page.evaluate(() => dispatchEvent(new Event('online')));
  const refused = page.locator('.refused-deed');
  await expect(refused).toContainText('Eva Ek har ställt in besöket lör 21 nov. 11:00–11:30.');
  await expect(refused).toContainText('Sven ringde återbud.');
  await expect(refused).toContainText('Duschade, mådde bra.');
  await expectAccessible(page);
  await refused.getByRole('button', { name: 'Besöket blev av: spara som anteckning' }).click();
  await expect(refused).toHaveCount(0);
  await expect
    .poll(() => careOf(mock).notes.at(-1))
    .toMatchObject({
      home: 'sven',
      text: 'Besöket blev av, fast det hade ställts in.\nDuschade, mådde bra.',
    });
  expect(careOf(mock).visits.get('v3')).toMatchObject({ state: 'cancelled' });
});

test('a visit that was moved while the word of it was on its way stays moved', async ({
  page,
  mock,
}) => {
  await page.goto('/shift');
  await page.getByRole('button', { name: 'Klart – Sven Åkesson' }).click();
  mock.setNetwork(false);
  await page.getByRole('button', { name: 'Spara som klart' }).click();
  const moved = { from: '2026-11-21T15:00:00.000Z', to: '2026-11-21T15:30:00.000Z', rev: 2 };
  Object.assign(careOf(mock).visits.get('v3')!, moved);
  mock.setNetwork(true);
  await page.evaluate(() => dispatchEvent(new Event('online')));
  await expect
    .poll(() => careOf(mock).visits.get('v3'))
    .toMatchObject({ ...moved, state: 'done', rev: 3 });
  await page.getByText(/3 klara/).click();
  await expect(page.locator('.visit', { hasText: 'Sven Åkesson' })).toContainText('16:00–16:30');
});

test('what others write and change is there without asking, a storm of it asked for once', async ({
  page,
  mock,
}) => {
  let asked = 0;
  page.on('request', (r) => (asked += Number(/\/api\/v1\/visits\?/.test(r.url()))));
  await page.goto('/shift');
  await expect(page.getByText('3 besök kvar')).toBeVisible();
  const before = asked;
  Object.assign(careOf(mock).visits.get('v4')!, { from: '2026-11-21T16:15:00.000Z' });
  for (let i = 0; i < 50; i++) mock.send('change', { kind: 'visit', home: 'marta', id: 'v4' });
  await expect(page.locator('.visit', { hasText: 'Mellanmål' })).toContainText('17:15');
  expect(asked - before).toBe(1);

  await page.goto('/homes/marta/notes');
  await page.locator('.note').first().waitFor();
  const { notes } = careOf(mock);
  notes.push({ ...notes[0], id: 'ny', text: 'Sov gott.', author: 'Björn Falk' });
  mock.send('change', { kind: 'note', home: 'sven', id: 'x' }); // of another home
  mock.send('change', { kind: 'note', home: 'marta', id: 'ny' });
  await expect(page.locator('.note', { hasText: 'Sov gott.' })).toBeVisible();
});

test('a note that came late says when it was written and when it came, also to the next shift', async ({
  page,
  mock,
}) => {
  const { notes } = careOf(mock);
  notes.push({
    ...notes[0],
    ...{ id: 'late', kind: 'observation', text: 'Ramlade nästan i hallen.' },
    ...{ written: '2026-11-21T04:10:00.000Z', at: '2026-11-21T11:40:00.000Z' },
  });
  await page.goto('/homes/marta/notes');
  const row = page.locator('.note', { hasText: 'Ramlade nästan' });
  await expect(row).toContainText('05:10');
  await expect(row).toContainText('kom fram 12:40');
  await page.goto('/hand-over');
  const told = page.locator('.handover-body');
  await expect(told).toContainText('Ramlade nästan i hallen.');
  await expect(told.locator('.tag-late')).toHaveText('Kom sent: 12:40');
  await expectAccessible(page);
});

test('a handover in a minute, with a word for the next shift, and on paper', async ({
  page,
  mock,
}) => {
  await page.goto('/hand-over');
  await expect(page.getByRole('radio', { name: 'Passet 07:00–15:00' })).toBeChecked();
  await expect(page.locator('.handover-sum')).toContainText('2 besök gjorda');
  await expect(page.locator('.handover')).toContainText('Trygghetslarm – ingen har tagit det');
  await page.getByText('Skriv till nästa pass').click();
  await page.getByRole('button', { name: 'Lämna över', exact: true }).click();
  await expect(page.getByRole('alert').filter({ hasText: 'Välj vem' })).toBeVisible();
  await page.getByLabel('Om vem?').selectOption({ label: 'Sven Åkesson' });
  await page.getByRole('button', { name: 'Titta till en extra gång.' }).click();
  await page.getByRole('button', { name: 'Lämna över', exact: true }).click();
  await expect(page.locator('.handover-next .note-next')).toContainText('Titta till en extra gång');
  await expect.poll(() => careOf(mock).log.at(-1)).toMatchObject({ kind: 'hand_over' });
  await expectAccessible(page);

  await page.emulateMedia({ media: 'print' });
  await expect(page.locator('.bar')).toBeHidden();
  await expect(page.getByRole('button', { name: 'Skriv ut' })).toBeHidden();
  await expect(page.locator('.handover-next')).toBeVisible();
});

test('search by the keyboard alone', async ({ page, mock }) => {
  await page.goto('/');
  await card(page, 'a1').waitFor();
  await page.keyboard.press('/');
  await expect(page).toHaveURL(/\/search$/);
  const field = page.getByRole('searchbox');
  await expect(field).toBeFocused();
  await page.keyboard.type('lind');
  await expect(page.getByText('2 träffar')).toBeVisible();
  await expectAccessible(page);
  await page.keyboard.press('ArrowDown');
  await expect(page.locator('.found').first()).toBeFocused();
  await page.keyboard.press('ArrowUp');
  await expect(field).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(/\/homes\/marta$/);

  mock.setNetwork(false);
  await page.locator('.who').waitFor();
  await page.keyboard.press('/');
  await expect(field).toBeFocused();
  await page.keyboard.press('Control+a');
  await page.keyboard.type('sven');
  await expect(page.getByText('Utan nät söks bara')).toBeVisible();
  await expect(page.locator('.found')).toHaveText(/Sven Åkesson/);
});

test('an alarm is taken and set out for by single keys, which one can turn off', async ({
  page,
}) => {
  await page.goto('/');
  await card(page, 'a1').waitFor();
  await page.keyboard.press('j');
  await expect(card(page, 'a1')).toBeFocused();
  await page.keyboard.press('j');
  await expect(card(page, 'a2')).toBeFocused();
  await page.keyboard.press('k');
  await page.keyboard.press('a');
  await expect(card(page, 'a1')).toContainText('Du har tagit det');
  await page.keyboard.press('o');
  await expect(page.getByRole('button', { name: '5 min', exact: true })).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(card(page, 'a1')).toContainText('Du är på väg');

  await page.keyboard.press('?');
  const help = page.getByRole('dialog', { name: 'Tangenter' });
  await expect(help).toContainText('Nästa larm');
  await expectAccessible(page);
  await help.getByRole('checkbox').uncheck();
  await page.keyboard.press('Escape');
  await expect(help).toBeHidden();
  await page.keyboard.press('/');
  await expect(page).toHaveURL(/\/$/);
});

test('the test of the alarm sounds and shakes', async ({ page }) => {
  await page.addInitScript(() => {
    Object.defineProperty(navigator, 'vibrate', {
      value: (pattern: number[]) =>
        document.documentElement.setAttribute('data-shaken', `${pattern}`),
    });
  });
  await page.goto('/');
  await page.getByText('Meny', { exact: true }).click();
  await page.getByRole('button', { name: 'Prova ljud och vibration' }).first().click();
  await expect(page.locator('html')).toHaveAttribute('data-shaken', /400/);
});

test('what the resident has chosen not to show is said in its place', async ({ page, mock }) => {
  await page.goto('/homes/marta/consent');
  await page.getByRole('button', { name: 'Ändra – Hemtjänsten: Rörelser' }).click();
  const dialog = page.getByRole('dialog');
  await expect(dialog.getByRole('radio', { name: 'Nej, får inte se' })).toBeChecked();
  await dialog.getByRole('button', { name: 'Notera beslutet' }).click();
  await expect(dialog.getByRole('alert')).toContainText('Välj hur du fick veta det');
  await expectAccessible(page);
  await dialog.getByRole('radio', { name: 'Muntligt' }).check();
  await dialog.getByRole('button', { name: 'Notera beslutet' }).click();
  await expect(dialog).toBeHidden();
  await expect(page.locator('.grant-no', { hasText: 'Rörelser' }).first()).toBeVisible();
  await page.getByText('Tidigare beslut').click();
  await expect(page.locator('.part-consent .note').first()).toContainText(
    'Muntligt, noterat av Anna Berg',
  );
  await expect
    .poll(() => careOf(mock).log.at(-1))
    .toMatchObject({
      party: 'staff',
      field: 'activity',
      allowed: false,
    });

  const refusal = 'Märta har valt att inte visa rörelser för hemtjänsten.';
  await page.getByRole('link', { name: 'I dag', exact: true }).click();
  await expect(page.getByText(refusal)).toBeVisible();
  await expect(page.locator('.picture')).toHaveCount(0);
  await page.getByRole('link', { name: 'Trender' }).click();
  await expect(page.getByText(refusal)).toBeVisible();
  await expectAccessible(page);
});

test('staff note who may ring, and for whom the screen may answer by itself', async ({
  page,
  mock,
}) => {
  await page.goto('/homes/marta/consent');
  const staff = page.locator('.party').first();
  await expect(staff.locator('.grant', { hasText: 'Samtal med bild' })).toContainText('Får ringa');
  await expect(staff.locator('.grant', { hasText: 'Skärmen svarar själv' })).toContainText(
    'Nej, aldrig',
  );
  await page
    .getByRole('button', { name: 'Ändra – Hemtjänsten: Skärmen svarar själv vid larm' })
    .click();
  const dialog = page.getByRole('dialog');
  await expect(dialog.getByRole('radio', { name: 'Ja, efter en nedräkning' })).toBeChecked();
  await dialog.getByRole('radio', { name: 'Muntligt' }).check();
  await dialog.getByLabel('Varför?').fill('Vill slippa gå till skärmen när hon har ramlat');
  await expectAccessible(page);
  await dialog.getByRole('button', { name: 'Notera beslutet' }).click();
  await expect(dialog).toBeHidden();
  await expect(staff.locator('.grant', { hasText: 'Skärmen svarar själv' })).toContainText(
    'Ja, efter en nedräkning',
  );
  await expect
    .poll(() => careOf(mock).log.at(-1))
    .toMatchObject({ party: 'staff', field: 'auto_answer', allowed: true });
});

test('a contact stands in the list as one who is told, also one who cannot sign in', async ({
  page,
  mock,
}) => {
  await page.goto('/homes/marta/consent');
  const neighbour = page.locator('.party', { hasText: 'Olle i trean' });
  await expect(neighbour).toContainText('Får veta när det larmar, men kan inte logga in');
  await neighbour.locator('summary').click();
  await expect(neighbour.locator('.grant')).toHaveCount(1);
  await expectAccessible(page);
  await neighbour.getByRole('button', { name: /Ändra/ }).click();
  const dialog = page.getByRole('dialog');
  await expect(dialog.getByRole('radio', { name: 'Nej, ska inte få veta' })).toBeChecked();
  await dialog.getByRole('radio', { name: 'Muntligt' }).check();
  await dialog.getByRole('button', { name: 'Notera beslutet' }).click();
  await expect(neighbour).toContainText('Får inte veta när det larmar');
  await expect
    .poll(() => careOf(mock).log.at(-1))
    .toMatchObject({ party: 'person:grannen', field: 'alerts', allowed: false });
});

test('the card and the reminders are changed, a message says how far it has come', async ({
  page,
  mock,
}) => {
  await page.goto('/homes/marta/card');
  await page.getByRole('button', { name: 'Ändra uppgifterna' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Viktigt att veta').fill('Tål inte nötter.');
  await dialog.getByLabel('Född').fill('38');
  await dialog.getByRole('button', { name: 'Spara' }).click();
  await expect(dialog.getByRole('alert')).toContainText('Skriv ett år');
  await dialog.getByLabel('Född').fill('1938');
  await expectAccessible(page);
  await dialog.getByRole('button', { name: 'Spara' }).click();
  await expect(page.locator('.who-important')).toContainText('Tål inte nötter.');

  await page.getByRole('button', { name: 'Ny påminnelse' }).click();
  await dialog.getByLabel('Vad skärmen säger').fill('Drick ett glas vatten');
  await dialog.getByLabel('Klockan').fill('15:00');
  await expectAccessible(page);
  await dialog.getByRole('button', { name: 'Spara' }).click();
  await expect(page.locator('.reminders')).toContainText('Drick ett glas vatten');

  await page.getByRole('link', { name: 'Meddelanden' }).click();
  await expect(page.locator('.note', { hasText: 'Hej mamma' })).toContainText('Sett eller hört');
  await expect(page.locator('.note', { hasText: 'Fotvården' })).toContainText('inte visat än');
  await page.getByLabel(/Visas och läses upp/).fill('Jag är där klockan tre.');
  await page.getByRole('button', { name: 'Skicka' }).click();
  await expect(page.locator('.note', { hasText: 'klockan tre' })).toContainText(
    'Hemmet har inte fått det än',
  );
  await expect
    .poll(() => careOf(mock).log.at(-1))
    .toMatchObject({ text: 'Jag är där klockan tre.' });
});

test('a message takes a picture along, also without a word', async ({ page, mock }) => {
  await page.goto('/homes/marta/messages');
  // Any picture that the browser can read.
  const picture = await page.evaluate(() => {
    const canvas = document.createElement('canvas');
    canvas.width = canvas.height = 64;
    canvas.getContext('2d')!.fillRect(0, 0, 40, 40);
    return canvas.toDataURL('image/png').split(',')[1]!;
  });
  const file = page.locator('input[type=file]');
  await file.setInputFiles({ name: 'x.png', mimeType: 'image/png', buffer: Buffer.from('no') });
  await expect(page.locator('.field-error')).toContainText('Bilden går inte att läsa');
  const png = Buffer.from(picture, 'base64');
  await file.setInputFiles({ name: 'x.png', mimeType: 'image/png', buffer: png });
  await expect(page.getByRole('img', { name: 'Bilden som ska skickas' })).toBeVisible();
  await expect(page.locator('.field-error')).toHaveCount(0);
  await expectAccessible(page);
  await page.locator('.note-form').scrollIntoViewIfNeeded();
  await page.getByRole('button', { name: 'Skicka' }).click();
  await expect
    .poll(() => careOf(mock).log.at(-1))
    .toMatchObject({ text: '', picture: expect.stringMatching(/^\/9j\//) });
});
