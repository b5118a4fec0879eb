// `@footfall/sdk/react`: the SDK for the components below.

import footfall from "@footfall/sdk";
import { createContext, createElement, useContext, useState } from "react";
import type { Footfall } from "../../index";
import type { FootfallProviderProps } from "../../react";

const Context = createContext<Footfall>(footfall);

export function FootfallProvider({ options, sdk = footfall, children }: FootfallProviderProps) {
  // While rendering, so that it has started before the effects of the components below call it.
  // It starts only once, and not at all on a server.
  const [started] = useState(() => sdk.init(options));
  return createElement(Context.Provider, { value: started }, children);
}

export function useFootfall(): Footfall {
  return useContext(Context);
}
