import { useState } from 'preact/hooks';
import type { Policy, Step } from '../../api/types';
import { locale, t, tMaybe } from '../../shared/i18n';
import { useAsked } from '../asking';
import { groupName } from '../chainwords';
import { homes, say } from '../state';
import * as api from '../teamapi';
import { Dialog } from './dialog';
import { Answer, AreaPicker, Frame, manages } from './frame';
import './policies.css';
import { bounds, policySentences, wrongPolicy } from './policywords';
import { areaName, areasOf } from './rotawords';

/** Who is told in which order, for each area and severity. */
export function PoliciesScreen() {
  const [area, setArea] = useState<string>();
  const [open, setOpen] = useState<Policy | null>(null);
  const areas = areasOf(
    [...homes.value.values()].map((h) => h.area),
    locale(),
  );
  const shown = area ?? areas[0] ?? '';
  const asked = useAsked(() => api.policies(shown), [shown]);
  return (
    <Frame page="policies">
      <AreaPicker areas={areas} area={shown} name={(a) => areaName(a, areas)} choose={setArea} />
      <Answer asked={asked}>
        {(policies) => (
          <div class="policies">
            {policies.map((policy) => {
              const says = policySentences(policy);
              return (
                <section
                  key={policy.severity}
                  class={`panel policy policy-${policy.severity}`}
                  aria-labelledby={`policy-${policy.severity}`}
                >
                  <h2 id={`policy-${policy.severity}`}>
                    {tMaybe(`severity.${policy.severity}`) ?? policy.severity}
                  </h2>
                  <p class="quiet">{tMaybe(`policy.about.${policy.severity}`)}</p>
                  <ol class="policy-steps">
                    {says.steps.map((sentence, i) => (
                      <li key={i}>{sentence}</li>
                    ))}
                  </ol>
                  {says.then.map((sentence) => (
                    <p key={sentence}>{sentence}</p>
                  ))}
                  {manages() && (
                    <button type="button" class="button" onClick={() => setOpen(policy)}>
                      {t('policy.edit')}
                      <span class="visually-hidden">
                        {' – '}
                        {tMaybe(`severity.${policy.severity}`)}
                      </span>
                    </button>
                  )}
                </section>
              );
            })}
            {open && (
              <PolicyForm
                area={shown}
                policy={open}
                close={() => setOpen(null)}
                changed={() => {
                  asked.again();
                  setOpen(null);
                }}
              />
            )}
          </div>
        )}
      </Answer>
    </Frame>
  );
}

const groups = ['on_duty', 'all_staff', 'contacts', 'responders', 'last_resort'] as const;

interface FormProps {
  area: string;
  policy: Policy;
  close: () => void;
  changed: () => void;
}

function PolicyForm({ area, policy, close, changed }: FormProps) {
  const [steps, setSteps] = useState<readonly Step[]>(policy.steps);
  const [rounds, setRounds] = useState(policy.rounds);
  const [hold, setHold] = useState(policy.hold);
  const emergency = policy.severity === 'emergency';
  const next: Policy = { ...policy, steps: [...steps], rounds, hold };
  const set = (i: number, change: Partial<Step>) =>
    setSteps(steps.map((s, j) => (i === j ? { ...s, ...change } : s)));
  return (
    <Dialog
      title={t('policy.title', {
        severity: tMaybe(`severity.${policy.severity}`) ?? policy.severity,
      })}
      onClose={close}
      check={() => wrongPolicy(next)}
      onSave={async () => {
        await api.putPolicy(area, next);
        say(t('policy.saved'));
        changed();
      }}
    >
      {steps.map((step, i) => (
        <fieldset key={i} class="policy-step">
          <legend>{t('policy.step', { n: i + 1 })}</legend>
          <div class="policy-groups">
            {groups.map((g) => (
              <label class="check" key={g}>
                <input
                  type="checkbox"
                  checked={step.groups.includes(g)}
                  onChange={(e) =>
                    set(i, {
                      groups: e.currentTarget.checked
                        ? [...step.groups, g]
                        : step.groups.filter((other) => other !== g),
                    })
                  }
                />
                <span>{sentence(groupName(g))}</span>
              </label>
            ))}
          </div>
          <Wait
            n={i + 1}
            seconds={step.wait}
            emergency={emergency}
            set={(wait) => set(i, { wait })}
          />
          {steps.length > 1 && (
            <button
              type="button"
              class="button button-plain"
              onClick={() => setSteps(steps.filter((_, j) => j !== i))}
            >
              {t('policy.remove', { n: i + 1 })}
            </button>
          )}
        </fieldset>
      ))}
      <button
        type="button"
        class="button"
        disabled={steps.length >= bounds.steps}
        onClick={() =>
          setSteps([...steps, { groups: ['last_resort'], wait: emergency ? 60 : 600 }])
        }
      >
        {t('policy.add')}
      </button>
      {emergency ? (
        <p class="quiet">{t('policy.emergency')}</p>
      ) : (
        <label class="field">
          <span>{t('policy.rounds_label')}</span>
          <input
            type="number"
            min={0}
            max={1000}
            value={rounds}
            onInput={(e) => setRounds(e.currentTarget.valueAsNumber)}
          />
        </label>
      )}
      <label class="field">
        <span>{t('policy.hold_label')}</span>
        <input
          type="number"
          min={bounds.hold[0]}
          max={bounds.hold[1]}
          value={hold}
          onInput={(e) => setHold(e.currentTarget.valueAsNumber)}
        />
      </label>
    </Dialog>
  );
}

const sentence = (s: string) => s.charAt(0).toLocaleUpperCase() + s.slice(1);

interface WaitProps {
  n: number;
  seconds: number;
  emergency: boolean;
  set: (seconds: number) => void;
}

// Emergencies wait for seconds, the others for minutes.
function Wait({ n, seconds, emergency, set }: WaitProps) {
  const unit = emergency || seconds % 60 !== 0 ? 1 : 60;
  return (
    <label class="field">
      <span>{t(unit === 1 ? 'policy.wait_seconds' : 'policy.wait_minutes', { n })}</span>
      <input
        type="number"
        min={unit === 1 ? bounds.wait[0] : 1}
        max={emergency ? bounds.emergencyWait : bounds.wait[1] / unit}
        value={seconds / unit}
        onInput={(e) => set(e.currentTarget.valueAsNumber * unit)}
      />
    </label>
  );
}
