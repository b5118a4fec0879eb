import { Recorded } from "./recorded";

export const metadata = { title: "Made with Next" };

export default function Layout({ children }) {
  return (
    <html lang="en">
      <body>
        <Recorded>{children}</Recorded>
      </body>
    </html>
  );
}
