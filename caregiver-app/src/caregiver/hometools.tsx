import type { HomeDetail } from '../api/types';
import './hometools.css';
import { Silencing } from './silence';
import { Testing } from './testing';

/** What is done to a home: its button is proven, what is expected is silenced. */
export function HomeTools({ home }: { home: HomeDetail }) {
  return (
    <div class="tools-row">
      <Testing key={`test-${home.id}`} home={home} />
      <Silencing key={`silence-${home.id}`} home={home} />
    </div>
  );
}
