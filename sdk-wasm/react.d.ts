import type { ReactElement, ReactNode } from "react";
import type { Footfall, Options } from "./index.js";

export interface FootfallProviderProps {
  /** As for `init`; those of the first render hold. */
  options: Options;
  /** Another entry's SDK, such as that of `@footfall/sdk/twin`. Default: that of `@footfall/sdk`. */
  sdk?: Footfall;
  children?: ReactNode;
}

/** Starts to record, and gives the SDK to the components below. */
export function FootfallProvider(props: FootfallProviderProps): ReactElement;

/** The SDK of the nearest provider; without one, that of `@footfall/sdk`, which may be called as well. */
export function useFootfall(): Footfall;
