import { useState } from 'preact/hooks';
import type { Home } from '../../api/types';
import { locale, t } from '../../shared/i18n';
import { go } from '../../shared/router';
import { may } from '../may';
import { useDeed } from '../plan/dialog';
import { idFor } from '../plan/peoplewords';
import { areasOf } from '../plan/rotawords';
import { homes, refresh, say } from '../state';
import { addHome } from './api';
import '../plan/plan.css';
import './install.css';
import { InstallHome } from './installhome';
import './installtexts';
import { boxOf } from './installwords';

/** From a box to a protected home: which home, and then its steps. */
export function InstallScreen({ id }: { id: string }) {
  if (!may('add_homes')) {
    return (
      <div class="install">
        <h1 tabIndex={-1}>{t('install.title')}</h1>
        <p class="later">{t('install.no_right')}</p>
      </div>
    );
  }
  return id ? <InstallHome id={id} /> : <Which />;
}

const waits = (h: Home) => !h.last_heard;
const unproven = (h: Home) => h.protection === 'never_tested';

function Which() {
  const collator = new Intl.Collator(locale());
  const begun = [...homes.value.values()]
    .filter(unproven)
    .sort((a, b) => Number(waits(b)) - Number(waits(a)) || collator.compare(a.name, b.name));
  return (
    <div class="install">
      <h1 tabIndex={-1}>{t('install.title')}</h1>
      <p>{t('install.lead')}</p>
      <NewHomeForm />
      {begun.length > 0 && (
        <section aria-labelledby="begun">
          <h2 id="begun">{t('install.unfinished')}</h2>
          <ul class="install-begun">
            {begun.map((h) => (
              <li key={h.id} class="panel">
                <p>
                  <strong>{h.name}</strong>
                  <span class="quiet">
                    {t(waits(h) ? 'install.state.waiting' : 'install.state.test')}
                  </span>
                </p>
                <a class="button" href={`/install/${encodeURIComponent(h.id)}`}>
                  {t('install.go_on')}
                  <span class="visually-hidden"> – {h.name}</span>
                </a>
              </li>
            ))}
          </ul>
        </section>
      )}
    </div>
  );
}

const usualZone = 'Europe/Stockholm';
const lastArea = 'lykta.install.area';

function NewHomeForm() {
  const areas = areasOf(
    [...homes.value.values()].map((h) => h.area),
    locale(),
  ).filter(Boolean);
  const [name, setName] = useState('');
  const [area, setArea] = useState(localStorage.getItem(lastArea) ?? areas[0] ?? '');
  const [box, setBox] = useState('');
  const [zone, setZone] = useState(usualZone);
  const [wrong, setWrong] = useState('');
  const deed = useDeed();

  const create = async () => {
    const gateway = boxOf(box);
    const has = [...homes.value.values()].find((h) => h.gateway === gateway);
    const problem = !name.trim()
      ? t('install.bad_name')
      : !gateway
        ? t('install.bad_box')
        : has
          ? t('install.taken', { name: has.name })
          : '';
    setWrong(problem);
    if (problem) return;
    await deed.run(async () => {
      const id = idFor(name, [...homes.value.keys()]);
      await addHome({ id, gateway, name: name.trim(), area: area.trim(), zone });
      localStorage.setItem(lastArea, area.trim());
      await refresh();
      go(`/install/${encodeURIComponent(id)}`);
    });
  };
  const said = wrong || deed.failed;
  return (
    <form
      class="panel install-new"
      noValidate
      onSubmit={(e) => {
        e.preventDefault();
        void create();
      }}
    >
      <label class="field">
        <span>{t('install.name')}</span>
        <input
          type="text"
          maxLength={100}
          autoComplete="off"
          aria-describedby="install-name-hint"
          value={name}
          onInput={(e) => setName(e.currentTarget.value)}
        />
        <span id="install-name-hint" class="quiet install-hint">
          {t('install.name_hint')}
        </span>
      </label>
      <label class="field">
        <span>{t('install.area')}</span>
        <input
          type="text"
          list="install-areas"
          maxLength={64}
          autoComplete="off"
          value={area}
          onInput={(e) => setArea(e.currentTarget.value)}
        />
        <datalist id="install-areas">
          {areas.map((a) => (
            <option key={a} value={a} />
          ))}
        </datalist>
      </label>
      <div class="install-box">
        <label class="field">
          <span>{t('install.box')}</span>
          <input
            type="text"
            maxLength={64}
            autoComplete="off"
            autoCapitalize="off"
            spellcheck={false}
            aria-describedby="install-box-hint"
            value={box}
            onInput={(e) => setBox(e.currentTarget.value)}
          />
        </label>
        <Scan found={setBox} />
        <p id="install-box-hint" class="quiet install-hint">
          {t('install.box_hint')}
        </p>
      </div>
      <details>
        <summary>{t('install.more')}</summary>
        <label class="field">
          <span>{t('install.zone')}</span>
          <input
            type="text"
            autoComplete="off"
            value={zone}
            onInput={(e) => setZone(e.currentTarget.value)}
          />
        </label>
      </details>
      {said && (
        <p class="field-error" role="alert">
          {said}
        </p>
      )}
      <button type="submit" class="button button-main button-wide" disabled={deed.busy}>
        {t(deed.busy ? 'form.saving' : 'install.create')}
      </button>
    </form>
  );
}

interface Detector {
  detect(picture: ImageBitmap): Promise<readonly { rawValue: string }[]>;
}

/** Reads the id from a picture of the label, in the browsers that can. */
function Scan({ found }: { found: (box: string) => void }) {
  const { BarcodeDetector } = window as { BarcodeDetector?: new () => Detector };
  if (!BarcodeDetector) return null;
  const read = async (file: File | undefined) => {
    if (!file) return;
    try {
      const codes = await new BarcodeDetector().detect(await createImageBitmap(file));
      const box = codes.map((c) => boxOf(c.rawValue)).find(Boolean);
      if (!box) throw new Error('no code in the picture');
      found(box);
    } catch {
      say(t('install.scan_failed'), true);
    }
  };
  return (
    <label class="button install-scan">
      <input
        class="visually-hidden"
        type="file"
        accept="image/*"
        capture="environment"
        onChange={(e) => void read(e.currentTarget.files?.[0])}
      />
      {t('install.scan')}
    </label>
  );
}
