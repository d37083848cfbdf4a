// Pictures are made small for the screen in a home by relatives and staff alike.
export * from '../shared/picture';
