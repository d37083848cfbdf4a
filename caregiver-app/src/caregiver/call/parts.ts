// What of calls the other pages show before there is one: small, and fetched together.
export { CallBar } from './bar';
export { CallButton } from './button';
