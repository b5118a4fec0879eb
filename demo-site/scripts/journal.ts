// The journal's own script. Here the SDK is bundled, as an application does it; the other pages have the tag.

import { init } from "@footfall/sdk";

const gateway = document.querySelector<HTMLMetaElement>("meta[name=gateway]");
init({ writeKey: "demo", endpoint: gateway?.content ?? "", batchAge: "500ms", inspect: 20 });
