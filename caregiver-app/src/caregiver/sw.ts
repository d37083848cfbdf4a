// The service worker of both apps: it shows what is pushed, opens what it is
// about, and keeps the app itself, so that it opens without a network. It
// keeps nothing of what the service says of anybody.
import { serve, type Scope, type Shell } from './swserve';

// Written in by the build (vite.config.ts), so that every version is another.
declare const __LYKTA_SHELL__: Shell;

serve(self as unknown as Scope, __LYKTA_SHELL__);
