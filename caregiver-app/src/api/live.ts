import { createParser } from 'eventsource-parser';

/** What the stream tells. */
export interface Listener {
  /** One event; `data` is JSON already read. */
  event(name: string, data: unknown): void;
  /** Something came through, even if only a heartbeat. */
  heard(): void;
  /** The link is down; it is tried again by itself. */
  down(): void;
  /** The session is no longer good; it is not tried again. */
  refused(): void;
}

// The server sends a heartbeat every 15 s; two and a half of them missing is a dead link,
// which TCP alone may take many minutes to notice.
const deadAfter = 38_000;
const longestPause = 30_000;

/**
 * Stream is the live link to the server. It is read with fetch rather than
 * EventSource, which hides heartbeats and the status of a refusal.
 */
export class Stream {
  private lastId = '';
  private attempt = 0;
  private lastByte = 0;
  private connection: AbortController | undefined;
  private retry: ReturnType<typeof setTimeout> | undefined;
  private watchdog: ReturnType<typeof setInterval> | undefined;
  private home = '';
  private stopped = true;

  constructor(private readonly listener: Listener) {}

  /** Opens the stream; with a home also that home's readings. */
  open(home: string): void {
    if (!this.stopped && home === this.home) return;
    this.home = home;
    this.stopped = false;
    this.watchdog ??= setInterval(() => this.check(), 5_000);
    void this.connect();
  }

  /** Tries now instead of waiting out the pause; called when the network or the screen is back. */
  nudge(): void {
    if (this.stopped) return;
    const stale = Date.now() - this.lastByte > 20_000;
    if (!this.connection || stale) {
      this.attempt = 0;
      void this.connect();
    }
  }

  close(): void {
    this.stopped = true;
    this.lastId = '';
    clearTimeout(this.retry);
    clearInterval(this.watchdog);
    this.watchdog = undefined;
    this.connection?.abort();
    this.connection = undefined;
  }

  private check(): void {
    if (this.connection && Date.now() - this.lastByte > deadAfter) {
      this.connection.abort();
      this.lost(this.connection);
    }
  }

  private async connect(): Promise<void> {
    clearTimeout(this.retry);
    this.connection?.abort();
    const connection = new AbortController();
    this.connection = connection;
    this.lastByte = Date.now();
    try {
      const query = this.home ? `?home=${encodeURIComponent(this.home)}` : '';
      const response = await fetch(`/api/v1/events${query}`, {
        headers: {
          Accept: 'text/event-stream',
          ...(this.lastId ? { 'Last-Event-ID': this.lastId } : {}),
        },
        cache: 'no-store',
        credentials: 'same-origin',
        signal: connection.signal,
      });
      if (connection !== this.connection) return;
      if (response.status === 401) {
        this.close();
        this.listener.refused();
        return;
      }
      if (response.ok && response.body) await this.read(response.body, connection);
    } catch {
      // Aborted or broken off: what follows is the same.
    }
    this.lost(connection);
  }

  private async read(body: ReadableStream<Uint8Array>, connection: AbortController) {
    const text = new TextDecoder();
    const parser = createParser({
      onEvent: (event) => {
        if (event.id !== undefined) this.lastId = event.id;
        let data: unknown;
        try {
          data = JSON.parse(event.data);
        } catch {
          return; // a later version's event, not in JSON
        }
        this.listener.event(event.event ?? 'message', data);
      },
    });
    const reader = body.getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done || connection !== this.connection) return;
      this.lastByte = Date.now();
      this.attempt = 0;
      parser.feed(text.decode(value, { stream: true }));
      this.listener.heard();
    }
  }

  // Full jitter, so that a thousand phones do not come back in the same second.
  private lost(connection: AbortController): void {
    if (this.stopped || connection !== this.connection) return;
    this.connection = undefined;
    this.listener.down();
    const ceiling = Math.min(longestPause, 1_000 * 2 ** this.attempt++);
    this.retry = setTimeout(() => void this.connect(), 250 + Math.random() * ceiling);
  }
}
