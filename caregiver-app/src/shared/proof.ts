import { api, json, post, Problem, request } from '../api/http';
import { NotProven } from './notproven';
import { addPasskey, getPasskey } from './passkey';

// Whoever has a session's cookie has not shown who they are. Before the service lets a session
// add a passkey, or let staff in, its person has to have done that within the last ten minutes.

interface Ceremony {
  ceremony: string;
  publicKey: PublicKeyCredentialRequestOptionsJSON;
}

const id = (error: unknown): string => (error instanceof Problem ? error.id : '');

/** Whether somebody has nothing to prove with who they are, and so has to sign in once more. */
export const hasNoProof = (error: unknown): boolean => id(error) === 'LYK-0730';

/** Adds a passkey; `asking` is called when the person is first asked for one that they have. */
export const addProven = (name: string, asking: () => void): Promise<void> =>
  proven(() => addPasskey(name), asking);

/** Like proven; rejects with NotProven when it is for want of a proof. */
export async function provenOrNot<T>(work: () => Promise<T>, asking = () => {}): Promise<T> {
  try {
    return await proven(work, asking);
  } catch (error) {
    const ids = ['LYK-0715', 'LYK-0716', 'LYK-0717', 'LYK-0727', 'LYK-0729', 'LYK-0730'];
    throw error instanceof DOMException || ids.includes(id(error)) ? new NotProven() : error;
  }
}

/** Does something for which the service wants a proof, and gets that when it is missing. */
async function proven<T>(work: () => Promise<T>, asking: () => void): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (id(error) !== 'LYK-0729') throw error;
    const asked = await json<Ceremony>(`${api}/me/proof/options`, post({}));
    asking();
    const credential = await getPasskey(asked.publicKey);
    await request(`${api}/me/proof`, post({ ceremony: asked.ceremony, credential }));
    return work();
  }
}
