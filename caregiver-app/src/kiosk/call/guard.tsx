import { Component } from 'preact';
import { HelpButton } from '../help';
import type { Props } from '../model';
import type { Shown } from './model';
import { KioskCall } from './view';

type Own = Props & { shown: Shown };

/**
 * The call on the screen. When it cannot be shown that is said to who follows
 * it, who shows the screen without it; until then there is the button for help.
 */
export class Guarded extends Component<Own, { broken: boolean }> {
  override state = { broken: false };

  override componentDidCatch(error: unknown) {
    this.setState({ broken: true });
    this.props.shown.acts.broken(error);
  }

  override render(props: Own) {
    if (!this.state.broken) return <KioskCall {...props} />;
    return <HelpButton help={props.model.help} />;
  }
}
