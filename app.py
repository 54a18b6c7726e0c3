"""Start here: `python app.py` opens the city, `python app.py load CITY_DIR` brings one in."""

from dashboard.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
