// Draws every chart of the page, in light or dark, one after the other from the top; whatever goes
// wrong is written into the page (data-errors), where people and tests see it.
(() => {
  "use strict";
  const root = document.documentElement;
  const names = ["page", "panel", "line", "text", "muted", "warn", "low", "high", "empty",
    "c1", "c2", "c3", "c4", "c5", "c6", "c7", "c8"];
  const views = [];
  let drawing = 0;

  const wrong = (what) => {
    root.dataset.errors = (root.dataset.errors ? root.dataset.errors + "; " : "") + what;
    console.error(what);
  };
  window.addEventListener("error", (event) => wrong(String(event.message)));
  window.addEventListener("unhandledrejection", (event) => wrong(String(event.reason)));

  const isDark = () => root.dataset.theme
    ? root.dataset.theme === "dark"
    : window.matchMedia("(prefers-color-scheme: dark)").matches;

  // Custom properties are kept as they are written; only a used colour is resolved.
  const palette = () => {
    const probe = document.createElement("i");
    document.body.append(probe);
    const found = {};
    for (const name of names) {
      probe.style.color = `var(--${name})`;
      found[name] = getComputedStyle(probe).color;
    }
    probe.remove();
    found.first = found.c1;
    return found;
  };

  // "@name" in a specification is a colour of the palette; data is left as it is.
  const coloured = (value, colours, key) => {
    if (key === "values" || key === "datasets") return value;
    if (typeof value === "string" && value[0] === "@") return colours[value.slice(1)] ?? value;
    if (Array.isArray(value)) return value.map((one) => coloured(one, colours));
    if (value && typeof value === "object") {
      return Object.fromEntries(
        Object.entries(value).map(([name, one]) => [name, coloured(one, colours, name)]));
    }
    return value;
  };

  const config = (colours) => {
    const narrow = root.clientWidth < 600;
    const font = getComputedStyle(document.body).fontFamily;
    const labels = { labelColor: colours.text, labelFontSize: 12, titleColor: colours.muted,
      titleFontSize: 12, titleFontWeight: 400 };
    return {
      background: null,
      font,
      view: { stroke: null },
      axis: { ...labels, gridColor: colours.line, domainColor: colours.line,
        tickColor: colours.line, labelLimit: narrow ? 155 : 230 },
      axisX: { labelOverlap: true },
      axisYNominal: { ticks: false, domain: false, labelPadding: 8 },
      legend: { ...labels, labelLimit: 220, columns: narrow ? 2 : 0, orient: "top" },
      title: { color: colours.muted, fontSize: 12, fontWeight: 400 },
      header: labels,
      mark: { color: colours.c1 },
      text: { color: colours.text },
      range: { category: names.filter((name) => /^c\d/.test(name)).map((name) => colours[name]),
        ramp: [colours.low, colours.high], heatmap: [colours.low, colours.high] },
    };
  };

  const draw = async () => {
    const mine = ++drawing;
    views.splice(0).forEach((view) => view.finalize());
    root.classList.toggle("dark", isDark());
    const colours = palette();
    const settings = config(colours);
    let drawn = 0;
    for (const data of document.querySelectorAll("script.spec")) {
      const place = data.parentElement.querySelector(".chart");
      const spec = coloured(JSON.parse(data.textContent), colours);
      try {
        const found = await window.vegaEmbed(place, spec, {
          mode: "vega-lite", renderer: place.dataset.renderer || "svg", actions: false,
          config: settings, tooltip: { theme: isDark() ? "dark" : "light" },
        });
        if (mine !== drawing) return found.finalize();
        views.push(found);
        drawn += 1;
      } catch (error) {
        wrong(`chart: ${error}`);
      }
    }
    root.dataset.drawn = String(drawn);
  };

  const remembered = () => { try { return localStorage.getItem("theme"); } catch { return null; } };
  const remember = (theme) => { try { localStorage.setItem("theme", theme); } catch { /* private */ } };
  if (remembered()) root.dataset.theme = remembered();
  document.getElementById("theme").addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    remember(root.dataset.theme);
    draw();
  });
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);

  // A chart inside a closed <details> has no width until it is opened.
  document.addEventListener("toggle", () => window.dispatchEvent(new Event("resize")), true);

  const links = new Map([...document.querySelectorAll("nav a[href^='#']")]
    .map((link) => [link.hash.slice(1), link]));
  const watcher = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      if (!entry.isIntersecting) continue;
      links.forEach((link) => link.classList.remove("here"));
      links.get(entry.target.id)?.classList.add("here");
    }
  }, { rootMargin: "-10% 0px -80% 0px" });
  document.querySelectorAll("main section").forEach((section) => watcher.observe(section));

  draw();
})();
