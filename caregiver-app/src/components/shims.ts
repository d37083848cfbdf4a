// Runs before anything of an app: nothing that is shown here is kept in the
// browser, and the invented household finds what it knows from Node.
Storage.prototype.getItem = () => null;
Storage.prototype.setItem = () => {};
Storage.prototype.removeItem = () => {};

const bytesOf = (data: Uint8Array | string): Uint8Array =>
  typeof data === 'string' ? Uint8Array.from(atob(data), (c) => c.charCodeAt(0)) : data;

Object.assign(globalThis, {
  Buffer: {
    from: (data: Uint8Array | string) => ({
      toString: () => btoa(String.fromCharCode(...bytesOf(data))).replace(/[+/=]/g, '_'),
    }),
  },
});

// A form that takes the focus when it opens would scroll the page to the last of them.
const given = HTMLElement.prototype.focus;
HTMLElement.prototype.focus = function (options) {
  if (navigator.userActivation?.hasBeenActive) given.call(this, options);
};

// Dialogs stand among the others.
HTMLDialogElement.prototype.showModal = function () {
  this.open = true;
};

export {};
