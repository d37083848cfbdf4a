import type { Chain, TestAlarm } from '../api/types';
import { t, tMaybe, tn } from '../shared/i18n';
import { channelName } from './chainwords';

/** A part of the way that a press goes. */
export interface Step {
  text: string;
  state: 'done' | 'now' | 'waits' | 'failed';
}

const minute = 60_000;

/** Whether the test goes on. */
export const running = (test: TestAlarm | undefined): boolean =>
  test?.state === 'awaited' || test?.state === 'pressed';

/** The way of a test's press, as far as it has come at the instant `at`. */
export function stepsOf(test: TestAlarm, chain: Chain | undefined, at: number): Step[] {
  const alert = chain?.alert;
  const told = chain?.told.find(
    (t) => t.group === 'tester' && (t.state === 'accepted' || t.state === 'delivered'),
  );
  const left = Math.max(1, Math.round((Date.parse(test.to) - at) / minute));
  const passed = test.state === 'passed';
  // A press that others were told of was not taken by who tests.
  const taken = passed || (!!alert && alert.state !== 'open' && test.failed !== 'not_taken');
  const reached = passed || !!alert?.reached;
  const steps: [done: boolean, text: string][] = [
    [
      test.state !== 'awaited' && test.failed !== 'no_press',
      test.alert
        ? t('test.step.pressed')
        : running(test)
          ? tn('test.step.press_left', left)
          : t('test.step.press'),
    ],
    [
      !!told || passed,
      told ? t('test.step.was_told', { channel: channelName(told.channel) }) : t('test.step.told'),
    ],
    [taken, t(taken ? 'test.step.taken' : 'test.step.take')],
    [
      reached,
      alert?.heard
        ? t('test.step.home_shown')
        : t(reached ? 'test.step.home_done' : 'test.step.home'),
    ],
    [passed, t('test.step.passed')],
  ];
  const current = steps.findIndex(([done]) => !done);
  return steps.map(([done, text], i) => ({
    text,
    state: done ? 'done' : i > current ? 'waits' : running(test) ? 'now' : 'failed',
  }));
}

/** Why a test did not go the whole way, in words. */
export const whyFailed = (test: TestAlarm): string =>
  tMaybe(`test.why.${test.failed}`) ?? t('test.why.other');
