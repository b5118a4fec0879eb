"use client";

import { FootfallProvider } from "@footfall/sdk/react";

export function Recorded({ children }) {
  // The page is made on a server, which does not know where it will be.
  const endpoint = typeof location === "undefined" ? "" : location.origin;
  return <FootfallProvider options={{ writeKey: "demo", endpoint }}>{children}</FootfallProvider>;
}
