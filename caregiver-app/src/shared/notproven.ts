/** The person has not proved who they are, and so what they asked for was not done. */
export class NotProven extends Error {}
