import type { Asked } from '../asking';
import type { Resident } from './api';

/** What every part of a resident's page is given. */
export interface PartProps {
  /** Of the home. */
  id: string;
  /** What the resident is called in a sentence. */
  name: string;
  /** The home's time zone; undefined while it is not known. */
  zone: string | undefined;
  resident: Asked<Resident>;
  /** The fields that the resident does not let the staff see. */
  refused: ReadonlySet<string>;
}
