// Shows what it is sent, and tells the page.
self.addEventListener('install', () => self.skipWaiting());
self.addEventListener('activate', (event) => event.waitUntil(self.clients.claim()));
self.addEventListener('push', (event) => event.waitUntil(take(event.data.json())));

async function take(message) {
  await self.registration.showNotification(message.title, { body: message.text, tag: message.key });
  for (const page of await self.clients.matchAll({ includeUncontrolled: true })) {
    page.postMessage(message);
  }
}
