import type { ComponentChildren } from 'preact';

/** Words in which an error's id stays on one line, so that it can be read out; what is copied is the id. */
export const unbroken = (words: string): ComponentChildren =>
  words.split(/(LYK-\d+)/).map((part, i) => (i % 2 ? <span class="error-id">{part}</span> : part));
