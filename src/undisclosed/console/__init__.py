# SPDX-License-Identifier: Apache-2.0
"""The web pages over all of it: server-rendered, one stylesheet, no build step.

One folder is one group of pages, all of one shape: ``urls.py``, ``views.py``,
``forms.py`` and ``templates/``. ``wiring.py`` joins guard and store for them,
``access.py`` says who may see and do what.
"""
