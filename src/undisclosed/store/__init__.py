# SPDX-License-Identifier: Apache-2.0
"""Tables, encryption, keyed hashes, journal, jobs and the embedded PostgreSQL.

What is stored about people is either encrypted or a keyed hash. The parts
above ask this floor through plain functions and values; no view and no
endpoint writes SQL.
"""
