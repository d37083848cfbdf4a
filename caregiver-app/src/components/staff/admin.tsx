import { AccountScreen } from '../../caregiver/admin/account';
import { InstallHome } from '../../caregiver/admin/installhome';
import { InstallScreen } from '../../caregiver/admin/install';
import { InvitationScreen } from '../../caregiver/admin/invitation';
import { Invite } from '../../caregiver/admin/invite';
import { InviteRelative } from '../../caregiver/admin/relatives';
import { WaysInPart } from '../../caregiver/admin/waysin';
import { press, type Group } from '../specimen';
import { iso, type World } from '../world';

const nothing = () => {};
const enter = () => Promise.resolve();

/** Ways in, one's own account, and new homes. */
export const adminGroup = (world: () => World): Group => ({
  group: 'admin',
  sections: [
    {
      name: 'WaysInPart',
      states: [
        { state: 'default', show: () => <WaysInPart passkeys entered={enter} /> },
        {
          state: 'municipality',
          alone: { world: (w) => (w.admin.ways.oidc = { name: 'Kommunens inloggning' } as never) },
          show: () => <WaysInPart passkeys entered={enter} />,
        },
        {
          state: 'no_browser',
          show: () => <WaysInPart passkeys={false} entered={enter} />,
        },
      ],
    },
    {
      name: 'InvitationScreen',
      states: [
        { state: 'default', alone: {}, show: () => <InvitationScreen code="lykta-inbjudan" /> },
        { state: 'relative', alone: {}, show: () => <InvitationScreen code="lykta-maria" /> },
        { state: 'gone', alone: {}, show: () => <InvitationScreen code="gammal" /> },
        { state: 'empty', alone: {}, show: () => <InvitationScreen code="" /> },
        {
          state: 'loading',
          alone: { mood: 'slow' },
          show: () => <InvitationScreen code="lykta-inbjudan" />,
        },
        {
          state: 'cut',
          alone: { mood: 'cut' },
          show: () => <InvitationScreen code="lykta-inbjudan" />,
        },
      ],
    },
    {
      name: 'AccountScreen',
      states: [
        {
          state: 'default',
          alone: {
            world: (w) =>
              void w.admin.passkeys.set('p1', {
                ...{ id: 'p1', name: 'Annas telefon', added: iso(5000), used: iso(90) },
              } as never),
          },
          show: () => <AccountScreen />,
        },
        { state: 'empty', alone: { mood: 'empty' }, show: () => <AccountScreen /> },
        { state: 'loading', alone: { mood: 'slow' }, show: () => <AccountScreen /> },
        { state: 'failed', alone: { mood: 'broken' }, show: () => <AccountScreen /> },
      ],
    },
    {
      name: 'Invite',
      states: [
        {
          state: 'default',
          show: () => <Invite person={{ id: 'bjorn', name: 'Björn Falk' }} close={nothing} />,
        },
        {
          state: 'busy',
          show: () => <Invite person={{ id: 'slow', name: 'Björn Falk' }} close={nothing} />,
        },
        {
          state: 'cut',
          show: () => <Invite person={{ id: 'cut', name: 'Björn Falk' }} close={nothing} />,
        },
      ],
    },
    {
      name: 'InviteRelative',
      states: [
        {
          state: 'default',
          show: () => <InviteRelative home={world().homes.get('marta')!} />,
        },
        {
          state: 'many',
          show: () => (
            <InviteRelative
              home={world().homes.get('marta')!}
              relatives={[
                { id: 'lena', name: 'Lena Lindqvist' },
                { id: 'per', name: 'Per Lindqvist' },
              ]}
            />
          ),
        },
        {
          state: 'form',
          show: () => <InviteRelative home={world().homes.get('marta')!} />,
          then: (root) => press(root, 'button'),
        },
      ],
    },
    {
      name: 'InstallScreen',
      states: [
        { state: 'default', show: () => <InstallScreen id="" /> },
        {
          state: 'wrong',
          show: () => <InstallScreen id="" />,
          then: (root) => press(root, '[type=submit]'),
        },
        { state: 'not_allowed', alone: { role: 'caregiver' }, show: () => <InstallScreen id="" /> },
      ],
    },
    {
      name: 'InstallHome',
      states: [
        { state: 'new', alone: { world: fresh }, show: () => <InstallHome id="nytt" /> },
        { state: 'never_tested', show: () => <InstallHome id="gunnar" /> },
        { state: 'default', show: () => <InstallHome id="marta" /> },
        { state: 'loading', show: () => <InstallHome id="slow" /> },
        { state: 'failed', show: () => <InstallHome id="broken" /> },
        { state: 'gone', show: () => <InstallHome id="nowhere" /> },
      ],
    },
  ],
});

/** A home whose box has not been heard of. */
function fresh(w: World): void {
  const marta = w.homes.get('marta')!;
  w.homes.set('nytt', {
    ...marta,
    ...{ id: 'nytt', name: 'Elsa Nyström', last_heard: null, online: false, silent: false },
    ...{ protection: 'never_tested', tested: null, own_test: null, devices: [], last: [] },
    check_ins: [],
  } as never);
}
