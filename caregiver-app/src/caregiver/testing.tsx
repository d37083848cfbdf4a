import { useEffect } from 'preact/hooks';
import type { HomeDetail, TestAlarm } from '../api/types';
import { Icon } from '../shared/icons';
import { t, type Key } from '../shared/i18n';
import { atMoment, now, serverNow } from '../shared/time';
import { unbroken } from '../shared/unbroken';
import { useAsked } from './asking';
import './hometools.css';
import { useDeed } from './plan/dialog';
import { acts } from './deeds';
import { alerts, follow, me, queue } from './state';
import * as api from './teamapi';
import { running, stepsOf, whyFailed } from './testwords';

/** For how long the outcome of a test stays in sight. */
const freshFor = 30 * 60_000;

/** Whether the home's button is proven, and how it is proven now. */
export function Testing({ home }: { home: HomeDetail }) {
  const asked = useAsked(() => asTested(home.id), [home.id]);
  const deed = useDeed();
  const tests = asked.value?.tests ?? [];
  const test = tests[0];
  const goesOn = running(test);
  useEffect(() => follow((a) => a.home === home.id && asked.again()), [home.id]);
  useEffect(() => {
    if (!goesOn) return;
    const timer = setInterval(() => document.hidden || asked.again(), 3_000);
    return () => clearInterval(timer);
  }, [goesOn]);

  const at = now.value;
  const when = (s: string | null | undefined) => (s ? atMoment(Date.parse(s), at, home.zone) : '');
  const shown = test && (goesOn || serverNow() - Date.parse(test.ended ?? '') < freshFor);
  const protection = test?.state === 'passed' ? 'protected' : home.protection;
  const tested = test?.state === 'passed' ? test.passed : home.tested;
  const nobody = !me.value?.person;
  const earlier = tests.slice(shown ? 1 : 0, 4);

  return (
    <section class="tool" aria-labelledby="test-title">
      <h2 id="test-title">{t('test.heading')}</h2>
      <p class={protection === 'protected' ? 'tool-good' : 'tool-warn'}>
        <Icon name={protection === 'protected' ? 'check' : 'shield'} />
        <span>{t(`test.${protection}` as Key, { when: when(tested) })}</span>
      </p>
      <p class="quiet">
        {home.own_test ? t('test.own', { when: when(home.own_test) }) : t('test.own_never')}
      </p>
      {asked.failed && (
        <p class="field-error" role="alert">
          {unbroken(asked.failed)}
        </p>
      )}
      {shown && (
        <Walk
          test={test}
          chain={asked.value?.chain}
          by={t('test.by', { by: test.by, when: when(test.from) })}
        />
      )}
      {deed.failed && (
        <p class="field-error" role="alert">
          {unbroken(deed.failed)}
        </p>
      )}
      {!acts() ? (
        <p>{t('test.by_staff')}</p>
      ) : goesOn ? (
        <button
          type="button"
          class="button"
          disabled={deed.busy}
          onClick={() => void deed.run(() => api.endTest(home.id), asked.again)}
        >
          {t('test.stop')}
        </button>
      ) : (
        <>
          <p>{t(nobody ? 'test.nobody' : 'test.start_text')}</p>
          {!nobody && (
            <button
              type="button"
              class="button"
              disabled={deed.busy}
              onClick={() => void deed.run(() => api.startTest(home.id), asked.again)}
            >
              {t('test.start')}
            </button>
          )}
        </>
      )}
      {earlier.length > 0 && (
        <details>
          <summary>{t('test.history')}</summary>
          <ul>
            {earlier.map((e) => (
              <li key={e.id}>
                {t(e.state === 'passed' ? 'test.history_passed' : 'test.history_failed', {
                  when: when(e.passed ?? e.ended ?? e.from),
                  by: e.by,
                  why: whyFailed(e),
                })}
              </li>
            ))}
          </ul>
        </details>
      )}
    </section>
  );
}

async function asTested(home: string) {
  const tests = await api.tests(home);
  const alert = tests[0]?.alert;
  return { tests, chain: alert ? await api.chain(alert) : undefined };
}

interface WalkProps {
  test: TestAlarm;
  chain: Parameters<typeof stepsOf>[1];
  by: string;
}

// The way of the press, step by step, with what the person has to do in it.
function Walk({ test, chain, by }: WalkProps) {
  const alert = chain && (alerts.value.get(chain.alert.id) ?? chain.alert);
  const waits = queue.waiting.value.some((a) => a.alert === alert?.id);
  const over = test.state === 'passed' || test.state === 'failed';
  return (
    <div class="walk">
      <p class="quiet">{by}</p>
      <ol aria-label={t('test.steps')}>
        {stepsOf(test, chain && alert && { ...chain, alert }, now.value).map((step) => (
          <li
            key={step.text}
            class={`walk-${step.state}`}
            aria-current={step.state === 'now' && 'step'}
          >
            <span class="walk-mark">{step.state === 'done' && <Icon name="check" />}</span>
            {step.text}
          </li>
        ))}
      </ol>
      <p role="status">
        {test.state === 'passed' && <strong>{t('test.passed')}</strong>}
        {test.state === 'failed' && (
          <strong class="tool-warn">
            {test.failed === 'from_screen'
              ? t('test.from_screen')
              : t('test.failed', { why: whyFailed(test) })}
          </strong>
        )}
      </p>
      {alert && acts() && alert.state === 'open' && !waits && (
        <button
          type="button"
          class="button button-main"
          onClick={() => queue.add({ alert: alert.id, kind: 'acknowledge' })}
        >
          {t('alert.take')}
        </button>
      )}
      {alert && acts() && over && alert.state === 'acknowledged' && !waits && (
        <button
          type="button"
          class="button button-main"
          onClick={() => queue.add({ alert: alert.id, kind: 'resolve', outcome: 'test' })}
        >
          {t('test.close')}
        </button>
      )}
    </div>
  );
}
