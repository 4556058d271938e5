# SPDX-License-Identifier: Apache-2.0
"""What already happened: past disclosures in mailboxes and archives."""
