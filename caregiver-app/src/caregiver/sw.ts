// The service worker: it shows what is pushed, and opens what it is about. It
// keeps no page and no data.
import { serve, type Scope } from './swserve';

serve(self as unknown as Scope);
