import './shims'; // first: the apps look at the browser when they come

void import('./start');
