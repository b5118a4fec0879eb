import {
  ButtonClickTrackingPlugin,
  enableButtonClickTracking,
} from "@snowplow/browser-plugin-button-click-tracking";
import {
  enableLinkClickTracking,
  LinkClickTrackingPlugin,
} from "@snowplow/browser-plugin-link-click-tracking";
import { enableActivityTracking, newTracker, trackPageView } from "@snowplow/browser-tracker";

const plugins = [LinkClickTrackingPlugin(), ButtonClickTrackingPlugin()];
newTracker("bench", location.origin, { appId: "bench", postPath: "/sink", plugins });
enableLinkClickTracking();
enableButtonClickTracking();
enableActivityTracking({ minimumVisitLength: 10, heartbeatDelay: 10 });
trackPageView();
