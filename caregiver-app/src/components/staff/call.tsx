import { signal } from '@preact/signals';
import type { ComponentChild } from 'preact';
import { After } from '../../caregiver/call/after';
import { AutoAnswer } from '../../caregiver/call/auto';
import { CallBar } from '../../caregiver/call/bar';
import { CallButton } from '../../caregiver/call/button';
import { Check } from '../../caregiver/call/check';
import type { Current, Place } from '../../caregiver/call/current';
import { CallHistory } from '../../caregiver/call/history';
import { InviteToCall } from '../../caregiver/call/invite';
import { present, type Wanted } from '../../caregiver/call/live';
import { CallPlace, CallScreen } from '../../caregiver/call/screen';
import { Controls } from '../../call/controls';
import { Meter, Why } from '../../call/equipment';
import { Devices } from '../../call/devices';
import { Meeting, Telling } from '../../call/meeting';
import { Preview } from '../../call/preview';
import type { Quality } from '../../call/quality';
import type { Person, Session, Stage } from '../../call/session';
import { CallSign } from '../../call/signs';
import { Own, Picture, Tile } from '../../call/stage';
import type { Call } from '../../call/wire';
import { press, write, type Alone, type Group, type Specimen } from '../specimen';
import type { StateKey } from '../texts';
import { iso, videoCall as aCall, type World } from '../world';

const nothing = () => {};
/** Camera and microphone that nobody has asked for. */
const noDevices = () => new Devices(undefined);
const video = (world: World) => void (world.me.features as string[]).push('video');
const wanted: Wanted = {
  ...{ home: 'marta', name: 'Märta', visit: '', alert: '', automatic: false },
};

const person = (fields: Partial<Person> = {}): Person => ({
  ...{ id: 'home', name: 'Märta Lindqvist', role: 'home', mic: true, camera: false },
  ...{ audio: '2', video: '3', sound: undefined, picture: undefined, paused: false },
  ...fields,
});
const interpreter = person({
  id: 'guest:1',
  name: 'Samira Haddad',
  role: 'interpreter',
  mic: false,
});

interface State {
  call?: Partial<Call>;
  stage?: Stage;
  people?: Person[];
  quality?: Quality;
  mic?: boolean;
  camera?: string;
  reachable?: boolean;
}

/** A session as it stands, without a connection. */
function sessionOf(s: State = {}): Session {
  const track = { getSettings: () => ({}) };
  return {
    stage: signal(s.stage ?? 'on'),
    call: signal(aCall(s.call)),
    people: signal(s.people ?? [person()]),
    sights: signal(new Map()),
    own: signal(undefined),
    quality: signal(s.quality ?? 'good'),
    link: signal('connected'),
    reachable: signal(s.reachable ?? true),
    wishes: signal({ mic: s.mic ?? true, camera: s.camera !== undefined }),
    devices: {
      mic: signal('got'),
      camera: signal(s.camera ?? 'unasked'),
      sound: signal(track),
      picture: signal(undefined),
      cameras: signal(2),
      switchCamera: () => Promise.resolve(),
    },
    setMic: nothing,
    setCamera: nothing,
    leave: nothing,
  } as unknown as Session;
}

const answered = { state: 'answered', rung: iso(8), answered: iso(7), how: 'touch' };
const inCall = (s: State): Place => {
  const current: Current = { id: 'c1', name: 'Märta', session: sessionOf(s), automatic: false };
  return { is: 'in', current };
};

const whole: Alone = { world: video, height: 700 };
const page = (state: StateKey, at: () => Place): Specimen => ({
  ...{ state, alone: whole },
  show: () => <CallPlace place={at()} />,
});
const place = (state: StateKey, at: () => Place): Specimen => ({
  state,
  show: () => <CallPlace place={at()} />,
});
const one = (state: StateKey, show: () => ComponentChild): Specimen => ({ state, show });

/** Calls by video. */
export const callGroup = (): Group => ({
  group: 'call',
  sections: [
    {
      name: 'CallButton',
      states: [
        {
          state: 'default',
          alone: { world: video },
          show: () => <CallButton home="marta" name="Märta" />,
        },
        {
          state: 'main',
          alone: { world: video },
          show: () => <CallButton home="marta" name="Märta" main />,
        },
      ],
    },
    {
      name: 'CallBar',
      states: [
        {
          state: 'default',
          alone: {
            world: video,
            after: () => (present.value = { id: 'c1', name: 'Märta', ringing: false }),
          },
          show: () => <CallBar />,
        },
        {
          state: 'ringing',
          alone: {
            world: video,
            after: () => (present.value = { id: 'c1', name: 'Märta', ringing: true }),
          },
          show: () => <CallBar />,
        },
      ],
    },
    {
      name: 'CallScreen',
      states: [{ state: 'empty', alone: whole, show: () => <CallScreen id="new" /> }],
    },
    {
      name: 'CallPlace',
      states: [
        place('starting', () => ({ is: 'starting', name: 'Märta' })),
        page('ringing', () => inCall({ call: { rung: iso(0) }, people: [], stage: 'joining' })),
        page('talk', () => inCall({ call: answered })),
        page('two', () => inCall({ call: answered, people: [person(), interpreter] })),
        place('paused', () =>
          inCall({
            ...{ call: answered, quality: 'paused' },
            people: [person({ camera: true, paused: true })],
          }),
        ),
        place('picture_lost', () => inCall({ call: answered, stage: 'lost', quality: 'lost' })),
        place('offline', () => inCall({ call: answered, reachable: false })),
        place('not_allowed', () => inCall({ call: answered, camera: 'denied' })),
        place('missed', () => inCall({ call: ended('missed'), stage: 'over' })),
        place('later', () => inCall({ call: ended('later'), stage: 'over' })),
        place('unreachable', () => inCall({ call: ended('unreachable'), stage: 'over' })),
        place('refused', () => inCall({ stage: 'refused' })),
        place('elsewhere', () => inCall({ call: answered, stage: 'elsewhere' })),
        place('done', () => ({
          is: 'past',
          call: aCall({ ...ended('done'), ...answered, state: 'ended', outcome: 'well' }),
        })),
        place('others', () => ({
          ...{ is: 'failed', wanted, text: '' },
          other: aCall({ by: { id: 'person:bjorn', name: 'Björn Falk', role: 'staff' } }),
        })),
        place('failed', () => ({
          ...{ is: 'failed', wanted, other: undefined },
          text: 'Tjänsten kunde inte göra det.',
        })),
        place('cut', () => ({ is: 'lost', id: 'c1', text: 'Inget nät just nu' })),
      ],
    },
    {
      name: 'AutoAnswer',
      states: [
        one('default', () => (
          <AutoAnswer name="Märta" call={nothing} usual={nothing} leave={nothing} />
        )),
      ],
    },
    {
      name: 'Check',
      states: [one('default', () => <Check name="Märta" done={nothing} leave={nothing} />)],
    },
    { name: 'Preview', states: [one('empty', () => <Preview devices={noDevices()} />)] },
    { name: 'Meter', states: [one('silent', () => <Meter track={undefined} />)] },
    {
      name: 'Why',
      states: [
        one('asking', () => <Why what="camera" is="asking" />),
        one('not_allowed', () => <Why what="camera" is="denied" />),
        one('empty', () => <Why what="mic" is="none" />),
        one('busy', () => <Why what="mic" is="busy" />),
      ],
    },
    {
      name: 'Controls',
      states: [
        one('default', () => (
          <Controls session={sessionOf()} ends invite={nothing} hangUp={nothing} />
        )),
        one('form', () => (
          <Controls
            session={sessionOf({ mic: false })}
            ends={false}
            invite={undefined}
            hangUp={nothing}
          />
        )),
      ],
    },
    {
      name: 'Meeting',
      states: [
        one('default', () => (
          <Meeting
            session={sessionOf({ call: answered })}
            heading="Märta"
            waits=""
            leave={nothing}
          />
        )),
      ],
    },
    {
      name: 'Telling',
      states: [one('default', () => <Telling heading="Märta">{null}</Telling>)],
    },
    {
      name: 'Tile',
      states: [
        one('default', () => <Tile person={person()} session={sessionOf()} only />),
        one('two', () => <Tile person={interpreter} session={sessionOf()} only={false} />),
      ],
    },
    { name: 'Own', states: [one('empty', () => <Own session={sessionOf()} />)] },
    { name: 'Picture', states: [one('empty', () => <Picture stream={undefined} label="Märta" />)] },
    {
      name: 'CallSign',
      states: [
        one('default', () => (
          <>
            {['video', 'video-off', 'mic', 'mic-off', 'turn', 'person', 'down', 'whole'].map(
              (n) => (
                <CallSign key={n} name={n} />
              ),
            )}
          </>
        )),
      ],
    },
    {
      name: 'InviteToCall',
      states: [
        {
          state: 'default',
          alone: { world: video, height: 500 },
          show: () => <InviteToCall call="c1" close={nothing} />,
        },
        {
          state: 'done',
          alone: { world: video, height: 500 },
          show: () => <InviteToCall call="c1" close={nothing} />,
          then: async (root) => {
            await write(root, 'input:not([type=radio])', 'Samira Haddad');
            await press(root, 'button[type=submit]');
          },
        },
      ],
    },
    {
      name: 'After',
      states: [
        one('default', () => <After call={aCall(ended('done'))} done={nothing} />),
        {
          state: 'wrong',
          show: () => <After call={aCall(ended('done'))} done={nothing} />,
          then: (root) => press(root, 'button[type=submit]'),
        },
      ],
    },
    {
      name: 'CallHistory',
      states: [
        {
          state: 'default',
          alone: { world: video },
          show: () => <CallHistory home="marta" name="Märta" zone="Europe/Stockholm" />,
        },
        {
          state: 'nobody',
          alone: { world: video },
          show: () => <CallHistory home="gunnar" name="Gunnar" zone="Europe/Stockholm" />,
        },
        {
          state: 'failed',
          alone: { world: video, mood: 'broken' },
          show: () => <CallHistory home="marta" name="Märta" zone="Europe/Stockholm" />,
        },
      ],
    },
  ],
});

function ended(why: string): Partial<Call> {
  return { state: 'ended', ended: iso(1), why, rung: iso(2) };
}
